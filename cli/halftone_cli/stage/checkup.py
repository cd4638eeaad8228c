"""The findings of ``halftone doctor``: each says what was found and, where it is bad, the remedy.

A check that can't be made is a bad finding, too: what is not known is not healthy.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from halftone.domain.errors import HalftoneError, NotFound
from halftone.ports import Ports
from halftone.ports.functions import VersionStatus
from halftone.ports.guardrails import AlarmState
from halftone_cli.views.reading import View, read

LEAST_BOOTSTRAP = 21
"""The bootstrap stack's version that the pinned CDK CLI asks for."""

LEAST_NODE = 20

_TAIL = 120


@dataclass(frozen=True)
class Finding:
    """What a check found; ``remedy`` is "" where all is well."""

    check: str
    found: str
    remedy: str = ""

    @property
    def good(self) -> bool:
        """Whether there is nothing to do."""
        return not self.remedy


class Account(Protocol):
    """See ``halftone_cli.stage.account.Account``."""

    def caller(self) -> str: ...
    def bootstrap_version(self) -> int | None: ...
    def outputs(self) -> dict[str, str]: ...
    def dead_letters(self, queue: str) -> int: ...
    def scheduled(self, endpoint: str) -> bool: ...
    def heard(self) -> bool: ...


Run = Callable[[Sequence[str]], str]
"""What a program prints on stdout. Raises OSError if it can't be run or fails."""


def run(command: Sequence[str]) -> str:
    """See ``Run``."""
    program = shutil.which(command[0])
    if program is None:
        raise FileNotFoundError(f"there is no {command[0]}")
    try:
        done = subprocess.run(  # noqa: S603 - version questions of our own
            [program, *command[1:]], capture_output=True, text=True, timeout=30, check=True
        )
    except subprocess.SubprocessError as error:
        raise OSError(f"{command[0]} failed: {error}"[:_TAIL]) from error
    return done.stdout


def tools(checkout: Path | None, run: Run = run) -> Iterator[Finding]:
    """Python, and what deploying from a checkout needs (``checkout`` None: there is none)."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", python)
    if checkout is None:
        return
    yield _tool(
        "node",
        lambda: run(["node", "--version"]).strip(),
        lambda version: int(version.lstrip("v").partition(".")[0]) >= LEAST_NODE,
        f"install Node {LEAST_NODE} or later: the CDK CLI runs on it",
    )
    pinned = json.loads((checkout / "package.json").read_text())["devDependencies"]["aws-cdk"]
    yield _tool(
        "cdk",
        lambda: run([str(checkout / "node_modules" / ".bin" / "cdk"), "--version"]).split(" ")[0],
        lambda version: version.strip() == pinned,
        f"run `make setup`: this checkout deploys with CDK CLI {pinned}",
    )


def _tool(check: str, ask: Callable[[], str], right: Callable[[str], bool], remedy: str) -> Finding:
    try:
        version = ask()
    except OSError as error:
        return Finding(check, str(error), remedy)
    return Finding(check, version, "" if re.match(r"v?\d", version) and right(version) else remedy)


def account(asked_account: Account, *, bootstrap: str) -> Iterator[Finding]:
    """Credentials and bootstrap; ``bootstrap`` is the command that makes the latter."""
    yield _asked("credentials", asked_account.caller, "sign in, or name a profile in AWS_PROFILE")

    def version() -> Finding:
        version_found = asked_account.bootstrap_version()
        if version_found is None:
            return Finding("bootstrap", "the account and region are not bootstrapped", bootstrap)
        late = "" if version_found >= LEAST_BOOTSTRAP else bootstrap
        return Finding("bootstrap", f"version {version_found}", late)

    yield _found("bootstrap", version, bootstrap)


def stage(given: Account, *, deploy: str) -> Iterator[Finding]:
    """The stage's stack, its dead letters, and whether anybody hears its alarms.

    ``deploy`` is the command that makes it.
    """
    try:
        outputs = given.outputs()
    except HalftoneError as error:
        yield Finding("stage", str(error), deploy)
        return
    yield Finding("stage", f"deployed, {outputs['Url']}")
    queue = outputs.get("DeadLetterQueue", "")

    def letters() -> Finding:
        count = given.dead_letters(queue)
        remedy = "read them: each is an event that nobody answered" if count else ""
        return Finding("dead letters", f"{count} in {queue}", remedy)

    yield _found("dead letters", letters, deploy)
    yield _switched("alarm rule", given.heard)


def endpoints(ports: Ports, given: Account, only: str | None = None) -> Iterator[Finding]:
    """Of each endpoint, or only of one: versions, record against alias, alarms armed, schedule."""
    try:
        names = ports.catalogue.endpoints()
    except HalftoneError as error:
        yield Finding("endpoints", str(error), "may these credentials read the stage's table?")
        return
    if only is not None and only not in names:
        raise NotFound("endpoint", only, f"released to so far: {', '.join(names) or 'none yet'}")
    for name in names if only is None else [only]:
        try:
            view = read(ports, name)
        except HalftoneError as error:
            yield Finding(name, str(error), "may these credentials read the stage's table?")
            continue
        if view.state.champion is None and view.state.active is None:
            yield Finding(name, "retired: nothing answers")
            continue
        yield _versions(name, ports, view)
        yield _agreement(name, view)
        yield from _guard(name, view)
        yield _switched(f"{name}: schedule", partial(given.scheduled, name))


def _versions(name: str, ports: Ports, view: View) -> Finding:
    """Whether Lambda still has what clients, names and a way back lead to."""
    check, state, running = f"{name}: versions", view.state, view.state.active
    needed = {placed.version for placed in state.placed}
    needed |= {state.champion.version} if state.champion else set()
    needed |= {v for v in (running.champion, running.challenger) if v} if running else set()
    bad = []
    for version in sorted(needed, key=int):
        try:
            status, why = ports.versions.status(name, version)
        except NotFound:
            bad.append(f"{version} is gone")
        except HalftoneError as error:
            return Finding(check, str(error), "may these credentials read the function?")
        else:
            bad += [f"{version} failed: {why}"] if status is VersionStatus.FAILED else []
    if not bad:
        return Finding(check, f"{', '.join(sorted(needed, key=int)) or 'none'} can be invoked")
    remedy = f"release its package again, or `halftone deployments delete {name} VERSION`"
    return Finding(check, "; ".join(bad), remedy)


def _agreement(name: str, view: View) -> Finding:
    check = f"{name}: alias"
    if view.routing is None:
        return Finding(check, "; ".join(view.faults), f"deploy the endpoint {name} again")
    if view.alias_disagreement:
        remedy = "the next tick repairs it; nobody but the engine may write the alias"
        return Finding(check, view.alias_disagreement, remedy)
    return Finding(check, "as recorded")


def _guard(name: str, view: View) -> Iterator[Finding]:
    check, guard, running = f"{name}: alarms", view.guard, view.state.active
    if guard is None:
        yield Finding(check, "; ".join(view.faults), f"deploy the endpoint {name} again")
        return
    champion = view.state.champion.version if view.state.champion else None
    exposed = running is not None and running.armed_at is not None
    expected = running.challenger if running and exposed else champion
    last = view.state.rollout
    if running is None and last is not None and guard.armed_for == last.challenger != champion:
        # A rollback leaves them where they were: what serves is what served all along.
        detail = f"armed for version {last.challenger}, which was taken back; the next release arms"
        yield Finding(check, f"{detail} them anew")
    elif expected is not None and guard.armed_for != expected:
        difference = f"armed for {guard.armed_for or 'no version'}, expected {expected}"
        remedy = f"`halftone rollback {name}`: a version without alarms must not have traffic"
        yield Finding(check, difference, remedy if exposed else _REARM)
    else:
        yield Finding(check, f"armed for version {guard.armed_for or 'none'}")
    if guard.state is AlarmState.ALARM:
        remedy = f"look at `halftone status {name}` and `halftone logs {name}`"
        yield Finding(f"{name}: guardrail", f"in alarm: {guard.reason}", remedy)


_REARM = "the next release arms them; until then nothing watches the champion"


def _switched(check: str, on: Callable[[], bool]) -> Finding:
    """Whether an EventBridge rule is on.

    A deploy makes it if it is gone, and leaves it as it is if somebody switched it off.
    """

    def asked() -> Finding:
        switched = on()
        remedy = "switch its EventBridge rule on again, or deploy if it is gone"
        return Finding(check, "on" if switched else "off", "" if switched else remedy)

    return _found(check, asked, "may these credentials read EventBridge rules?")


def _asked(check: str, ask: Callable[[], str], remedy: str) -> Finding:
    return _found(check, lambda: Finding(check, ask()), remedy)


def _found(check: str, find: Callable[[], Finding], remedy: str) -> Finding:
    try:
        return find()
    except HalftoneError as error:
        return Finding(check, str(error), remedy)
