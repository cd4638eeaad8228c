"""One run of the command: its stage, its options, its terminal.

Tests hand in a ``Session`` of their own as the context's object, and with it any stage they like.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from halftone.domain.errors import InvalidInput
from halftone_cli.stage.place import Stage, Where, checkout, place

if TYPE_CHECKING:
    from halftone_cli.control.api import ControlApi
    from halftone_cli.stage.checkup import Account

_KEY = re.compile(r"[!-~]{8,100}")


def connect(where: Where) -> Stage:
    """The stage that ``where`` and the environment name, with the caller's own credentials.

    Raises:
        InvalidInput: if the name can't be a stage's.
        NotFound: if nothing is deployed under that name.
        Unavailable: if AWS, local or not, does not answer.
    """
    # boto3 takes a fifth of a second to import, which help and completion need not pay.
    from halftone_cli.stage import connecting  # noqa: PLC0415

    return connecting.open_stage(place(where))


@dataclass(frozen=True)
class Patient:
    """What ``halftone doctor`` looks at."""

    account: Account
    deploy: str


def patient(where: Where) -> Patient:
    """The account, with the caller's own credentials; whether it answers shows when it is asked."""
    from halftone_cli.stage import connecting  # noqa: PLC0415

    there = place(where)
    return Patient(connecting.open_account(there), there.deploy)


def at_a_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass
class Session:
    """What surrounds one run: how stages are reached, and what was said before the command."""

    connect: Callable[[Where], Stage] = connect
    patient: Callable[[Where], Patient] = patient
    checkout: Path | None = field(default_factory=checkout)
    interactive: Callable[[], bool] = at_a_terminal
    sleep: Callable[[float], None] = time.sleep
    where: Where = field(default_factory=Where)
    as_json: bool = False
    debug: bool = False
    request: str | None = None

    def said(
        self,
        *,
        stage: str | None = None,
        local: bool = False,
        profile: str | None = None,
        as_json: bool = False,
        debug: bool = False,
        request: str | None = None,
    ) -> None:
        """Take note of the options that all commands share; the last word on the stage counts."""
        self.where = Where(
            stage or self.where.stage, local or self.where.local, profile or self.where.profile
        )
        self.as_json = self.as_json or as_json
        self.debug = self.debug or debug
        self.request = request or self.request
        if request is not None and not _KEY.fullmatch(request):
            raise InvalidInput("--request", request, "8 to 100 printable characters, no spaces")

    @cached_property
    def stage(self) -> Stage:
        """The stage; nothing is asked of AWS before it is needed."""
        return self.connect(self.where)

    @cached_property
    def control(self) -> ControlApi:
        """The stage's control API, for this run of the command."""
        control = self.stage.control
        return control if self.request is None else replace(control, key=self.request)

    @property
    def spoken_with(self) -> ControlApi | None:
        """The same, if this run has come to need it."""
        return self.__dict__.get("control")
