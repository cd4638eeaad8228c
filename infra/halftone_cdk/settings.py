"""What differs between stages: read from the CDK context, checked, and nothing left to guess.

The values stand in ``cdk.json`` under ``stages``. A stage is chosen by ``-c stage=NAME``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from halftone.domain.errors import InvalidInput
from halftone.domain.model.target import Architecture, Runtime, Target
from halftone.domain.quantities import duration, whole

_STAGE = re.compile(r"[a-z][a-z0-9]{0,15}")
_HOST = re.compile(r"[a-z0-9][a-z0-9.:-]{0,252}")
_RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
_Choice = TypeVar("_Choice", bound=StrEnum)


class SnapStart(StrEnum):
    """``auto`` switches SnapStart on where the runtime has it: python3.12 and later."""

    AUTO = "auto"
    OFF = "off"


@dataclass(frozen=True)
class Settings:
    """One stage. Captured requests are deleted after ``capture_retention_days``.

    ``metric_lag`` is how long metrics may take to arrive: younger ones are not judged yet;
    ``key_lag`` how much longer those of keys may, which come by way of the log, and ``key_follow``
    how long a key is followed, to see whether it fails, before it is judged.
    ``tick`` is the time between two looks at a rollout. ``prod`` keeps table and artifacts when
    their stack is deleted, and protects the table from deletion. ``self_approval``: whether who
    started a rollout may approve it, where its endpoint does not say. ``route_quota`` is how many
    routes the account allows an HTTP API. ``webhook_hosts`` may be told of notices besides public
    hosts, by HTTP as well. ``bootstrap_bucket`` names the bucket of `cdk bootstrap
    --bootstrap-bucket-name`, if it is not the usual one.
    """

    name: str
    runtime: Runtime = Runtime.PYTHON_3_13
    architecture: Architecture = Architecture.X86_64
    prod: bool = False
    metric_lag: timedelta = timedelta(seconds=60)
    key_lag: timedelta = timedelta(seconds=60)
    key_follow: timedelta = timedelta(minutes=5)
    tick: timedelta = timedelta(seconds=15)
    log_retention_days: int = 90
    capture_retention_days: int = 90
    snap_start: SnapStart = SnapStart.AUTO
    self_approval: bool = False
    bootstrap_bucket: str = ""
    route_quota: int = 300
    webhook_hosts: tuple[str, ...] = ()

    @property
    def snaps(self) -> bool:
        """Whether published versions start from a snapshot."""
        return self.snap_start is SnapStart.AUTO and self.runtime is not Runtime.PYTHON_3_11

    @property
    def target(self) -> Target:
        """What layers and environments of the stage are built for."""
        return Target(self.runtime, self.architecture)


def stage_settings(stage: object, stages: object, *, source: str = "cdk.json") -> Settings:
    """The settings of ``stage`` out of ``stages``, the mapping of that name in the context.

    Raises:
        InvalidInput: naming the setting, its value and what was expected.
    """
    if not isinstance(stages, Mapping) or not stages:
        raise InvalidInput("stages", stages, "a mapping of stage names to settings", source=source)
    if not isinstance(stage, str) or stage not in stages:
        raise InvalidInput("stage", stage, f"one of {', '.join(stages)} (-c stage=NAME)")
    try:
        return _parse(stage, stages[stage])
    except InvalidInput as error:
        raise InvalidInput(
            f"stages.{stage}.{error.field}", error.value, error.expected, source=source
        ) from None


def _parse(stage: str, block: object) -> Settings:
    if not _STAGE.fullmatch(stage):
        # A hyphen would let the names of stage "a" begin those of stage "a-b", and with them the
        # patterns by which permissions are granted.
        raise InvalidInput("name", stage, "1 to 16 of a-z and 0-9, a letter first")
    if not isinstance(block, Mapping):
        raise InvalidInput("settings", block, "a mapping of settings")
    names = {*Settings.__dataclass_fields__} - {"name"}
    for name in block:
        if name not in names:
            raise InvalidInput(str(name), block[name], f"no such setting; known: {sorted(names)}")
    settings = Settings(
        name=stage,
        runtime=Runtime.named("runtime", block.get("runtime", Settings.runtime)),
        architecture=Architecture.named(
            "architecture", block.get("architecture", Settings.architecture)
        ),
        prod=_flag("prod", block.get("prod", Settings.prod)),
        metric_lag=_seconds("metric_lag", block.get("metric_lag", "60s")),
        key_lag=_seconds("key_lag", block.get("key_lag", "60s")),
        key_follow=_seconds("key_follow", block.get("key_follow", "5m")),
        tick=_seconds("tick", block.get("tick", "15s")),
        log_retention_days=_retention(block.get("log_retention_days", Settings.log_retention_days)),
        bootstrap_bucket=_bucket(block.get("bootstrap_bucket", "")),
        self_approval=_flag("self_approval", block.get("self_approval", Settings.self_approval)),
        capture_retention_days=whole(
            "capture_retention_days",
            block.get("capture_retention_days", Settings.capture_retention_days),
            least=1,
            most=3650,
        ),
        snap_start=_one_of(SnapStart, "snap_start", block.get("snap_start", Settings.snap_start)),
        route_quota=whole(
            "route_quota", block.get("route_quota", Settings.route_quota), least=10, most=10_000
        ),
        webhook_hosts=_hosts(block.get("webhook_hosts", ())),
    )
    if settings.prod and settings.runtime is Runtime.PYTHON_3_11:
        raise InvalidInput("runtime", "python3.11", "python3.13 where prod is true (C library)")
    return settings


def _one_of(kind: type[_Choice], at: str, value: object) -> _Choice:
    try:
        return kind(str(value))
    except ValueError:
        raise InvalidInput(at, value, f"one of {', '.join(kind)}") from None


def _flag(at: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(at, value, "true or false")
    return value


def _seconds(at: str, value: object) -> timedelta:
    span = duration(at, value)
    if not 1 <= span.total_seconds() <= 3600 or span.total_seconds() % 1:
        raise InvalidInput(at, value, "whole seconds from 1s to 1h")
    return span


def _hosts(value: object) -> tuple[str, ...]:
    hosts = value if isinstance(value, list | tuple) else (None,)
    for host in hosts:
        if not isinstance(host, str) or not _HOST.fullmatch(host):
            raise InvalidInput("webhook_hosts", value, "a list of hosts, such as [hooks.example]")
    return tuple(hosts)


def _bucket(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"|[a-z0-9][a-z0-9.-]{2,62}", value):
        raise InvalidInput("bootstrap_bucket", value, "the name of an S3 bucket")
    return value


def _retention(value: object) -> int:
    if value not in _RETENTIONS or isinstance(value, bool):
        raise InvalidInput("log_retention_days", value, f"one of {list(_RETENTIONS)}")
    return int(str(value))


__all__ = ["Architecture", "Runtime", "Settings", "SnapStart", "stage_settings"]
