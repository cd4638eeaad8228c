"""A rollout as it happens, line by line: what was done, and what the evidence says."""

from collections.abc import Sequence

from halftone.domain.audit import AuditRecord
from halftone.ports import Ports
from halftone.service.unit_of_work import ENGINE
from halftone_cli.commands.watch import Lines, Views
from halftone_cli.console import one_line, stamp


def story(ports: Ports, endpoint: str) -> Lines:
    """Lines for the records of the newest rollout and for each change of its verdict."""
    told = 0
    verdict = ""

    def news(views: Views) -> Sequence[str]:
        nonlocal told, verdict
        [view] = views
        lines = []
        if not told:
            told = _before(ports, endpoint, view.state.rollout.id if view.state.rollout else "")
        for record in ports.store.audit(endpoint, after=told):
            told = record.seq
            lines.append(_line(record))
        said = one_line(f"{view.verdict.kind}: {view.verdict.reason}") if view.verdict else ""
        if said and said != verdict:
            lines.append(f"{stamp(view.at)} {_share(view.state.rollout):>7}  {said}")
        verdict = said
        return lines

    return news


def _before(ports: Ports, endpoint: str, rollout: str) -> int:
    """The number of the record before the first that knows the rollout."""
    records = ports.store.audit(endpoint)
    first = next((r.seq for r in records if r.after.get("rollout") == rollout), 1)
    return first - 1


def _line(record: AuditRecord) -> str:
    share = _percent(record.after.get("share", 0.0))
    # What the engine does by itself needs no name.
    who = "" if record.actor == ENGINE else f" (by {record.actor})"
    return f"{stamp(record.at)} {share:>7}  {one_line(f'{record.action}: {record.reason}{who}')}"


def _share(rollout: object) -> str:
    return _percent(getattr(rollout, "share", 0.0))


def _percent(share: object) -> str:
    return f"{share:g} %" if isinstance(share, int | float) else "-"
