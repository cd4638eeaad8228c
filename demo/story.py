"""What the demonstration does and shows: a release that goes out, and one that comes back."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table

from demo.cloud import STAGE, Cloud
from demo.traffic import Traffic
from halftone.domain import audit
from halftone.domain.audit import AuditRecord
from halftone.domain.names import guardrail_name
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import Ports

ENDPOINT = "breast-cancer"
_PATIENCE = 180
"""Seconds after which a rollout that does not end is a fault of the demonstration."""


@dataclass
class Story:
    """Tells what happens, as it happens."""

    cloud: Cloud
    console: Console
    declaration: Path
    told: int = 0

    def release(self, model: str) -> None:
        """Name another package in ``endpoint.yaml`` and deploy, as its owner would."""
        text = self.declaration.read_text()
        changed = re.sub(r"^model: .*$", f"model: models/{model}", text, flags=re.MULTILINE)
        self.declaration.write_text(changed)
        self.console.print(f"\n[bold]endpoint.yaml now says model: models/{model}; cdk deploy[/]")
        self.cloud.deploy(ENDPOINT)

    def follow(self, ports: Ports) -> Rollout:
        """Print the record of the rollout under way until it is over."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            self.tell(ports.store.audit(ENDPOINT, after=self.told))
            state = ports.store.load(ENDPOINT)
            if state and state.rollout and state.rollout.phase.final:
                self.tell(ports.store.audit(ENDPOINT, after=self.told))
                return state.rollout
            time.sleep(0.5)
        raise TimeoutError(f"the rollout did not end within {_PATIENCE} seconds")

    def tell(self, records: Iterable[AuditRecord]) -> None:
        """One line for each record."""
        for record in records:
            self.told = record.seq
            self.console.print(
                f"  {record.at:%H:%M:%S}  {_share(record):>7}  {record.action:<12}"
                f" {_short(record)}",
                highlight=False,
                soft_wrap=True,
            )

    def summary(self, ports: Ports, traffic: Traffic) -> Table:
        """The end of the story, in numbers."""
        records = list(ports.store.audit(ENDPOINT))
        state = ports.store.load(ENDPOINT)
        table = Table(title="What happened", show_header=False, title_justify="left")
        for version, statuses in traffic.by_version().items():
            counted = ", ".join(f"{count} x {status}" for status, count in statuses.items())
            table.add_row(f"requests answered by version {version}", counted)
        errors = sum(answer.status != 200 for answer in traffic.answers)
        share = 100 * errors / max(1, len(traffic.answers))
        table.add_row(
            "errors the clients saw", f"{errors} of {len(traffic.answers)} ({share:.2f} %)"
        )
        table.add_row("the alarm fired", _at(alarm_time(records[-1].at)))
        table.add_row("the challenger's share was 0", _at(records[-1].at))
        count = audit.verify(ENDPOINT, records, state.audit if state else None)
        table.add_row(
            "the audit chain", f"verified, {count} records, ends in {records[-1].hash[:12]}"
        )
        return table


def alarm_time(until: datetime) -> datetime | None:
    """When the guardrail last went into alarm, from CloudWatch's own history."""
    history = boto3.client("cloudwatch").describe_alarm_history(
        AlarmName=guardrail_name(STAGE, ENDPOINT),
        AlarmTypes=["CompositeAlarm"],
        HistoryItemType="StateUpdate",
    )
    fired = [
        item["Timestamp"]
        for item in history["AlarmHistoryItems"]
        if item["HistorySummary"].endswith("to ALARM") and item["Timestamp"] <= until
    ]
    return max(fired, default=None)


def ended_as(rollout: Rollout, phase: Phase) -> None:
    """Stop the story if a rollout did not end as it should."""
    if rollout.phase is not phase:
        raise RuntimeError(f"{rollout.id} ended {rollout.phase}, not {phase}: {rollout.reason}")


class Progress:
    """What the CDK CLI is doing: a moving line on a terminal, now and then a line elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._next = 0.0

    def __call__(self, line: str) -> None:
        """Show ``line``; an empty one ends the moving line."""
        important = not line or "COMPLETE" not in line
        if self._console.is_terminal:
            self._status.update(line)
            (self._status.start if line else self._status.stop)()
        elif not important and time.monotonic() < self._next:
            return
        if line and (important or not self._console.is_terminal):
            self._console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
        self._next = time.monotonic() + 3


def _share(record: AuditRecord) -> str:
    return f"{record.after.get('share', 0):g} %"


def _short(record: AuditRecord) -> str:
    by = f" (by {record.actor})" if record.actor.startswith("alarm/") else ""
    reason = record.reason if len(record.reason) <= 130 else f"{record.reason[:129]}…"
    return reason + by


def _at(moment: datetime | None) -> str:
    return f"{moment:%H:%M:%S} UTC" if moment else "never"
