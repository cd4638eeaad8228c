"""Views as tables and texts for people. ``shapes`` does the same for programs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.agreement import spoken_routing
from halftone.domain.quantities import spoken
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.domain.rollout.rollout import Rollout
from halftone.ports.guardrails import AlarmState, Guard
from halftone_cli.console import one_line, stamp, table
from halftone_cli.views.changes import what_changed
from halftone_cli.views.reading import View

_COLOURS = {
    Phase.PROMOTED: "green",
    Phase.ROLLED_BACK: "red",
    Phase.ROLLING_BACK: "red",
    Phase.FAILED: "red",
}


def overview(views: Sequence[View]) -> Table:
    """One row an endpoint."""
    rows = table(
        "endpoint",
        "champion",
        "phase",
        "challenger",
        "share",
        "since",
        "guardrail",
        "verdict or reason",
    )
    for view in views:
        rollout = view.state.rollout
        rows.add_row(
            view.state.endpoint,
            _champion(view),
            _phase(rollout),
            _challenger(rollout),
            f"{rollout.share:g} %" if rollout else "-",
            stamp(view.since) if view.since else "-",
            _guardrail(view.guard),
            _why(view),
        )
    return rows


def detail(stage: str, view: View) -> Group:
    """Everything about one endpoint."""
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("endpoint", f"{view.state.endpoint} (stage {stage}, at {stamp(view.at)})")
    facts.add_row("champion", _champion(view))
    if view.routing:
        agreement = view.disagreement or "as recorded"
        facts.add_row("alias", one_line(f"{spoken_routing(view.routing)}; {agreement}"))
        facts.add_row("answering", one_line(_answering(view)))
    facts.add_row("guardrail", Text.assemble(_guardrail(view.guard), _armed(view.guard)))
    shown: list[RenderableType] = [facts]
    if view.state.rollout:
        _add_rollout(facts, view, view.state.rollout)
    for fault in view.faults:
        facts.add_row("not read", one_line(fault))
    if view.state.active:
        shown += ["", plan_table(view.state.active.plan, present=view.state.active.stage)]
    if view.verdict:
        numbers = view.verdict.numbers
        shown += ["", evidence_table(numbers), _totals(numbers)]
    shown += ["", history_table(view.recent)]
    return Group(*shown)


def _answering(view: View) -> str:
    """Who answers unpinned requests, by alias and routes: ``40 % version 3, 60 % version 7``."""
    serving = view.state.serving
    if serving.stopped:
        return f"nobody: {serving.stopped}"
    spoken = [f"{share:g} % version {v}" for v, share in view.answering.items() if share]
    rules = f"; {len(serving.rules)} rules before that" if serving.rules else ""
    probation = serving.probation
    if probation and not probation.armed:
        rules += f"; version {probation.version} waits for its alarms"
    return (", ".join(spoken) or "nobody") + rules


def _add_rollout(facts: Table, view: View, rollout: Rollout) -> None:
    facts.add_row("rollout", Text.assemble(rollout.id, ", ", _phase(rollout)))
    facts.add_row("challenger", f"{_challenger(rollout)} at {rollout.share:g} %")
    if rollout.current and view.state.active:
        since = f", since {stamp(rollout.stage_since)}" if rollout.stage_since else ""
        facts.add_row("stage", f"{rollout.stage + 1} of {len(rollout.plan.stages)}{since}")
    facts.add_row("started", one_line(f"{stamp(rollout.started_at)} by {rollout.actor}"))
    facts.add_row("verdict" if view.verdict else "reason", _why(view))


def summary(view: View) -> str:
    """One line about an endpoint, for where a live view can't be."""
    rollout = view.state.rollout
    sentence = f"{view.state.endpoint}: champion {_champion(view)}"
    if rollout:
        sentence += f"; {rollout.phase} {_challenger(rollout)} at {rollout.share:g} %"
    return one_line(f"{sentence}; guardrail {_guardrail(view.guard).plain}; {_why(view)}")


def standing(view: View) -> list[str]:
    """What is true of an endpoint after somebody acted on it, read back, a line each."""
    state, lines = view.state, []
    if state.champion:
        lines.append(
            f"{state.endpoint}: champion is version {state.champion.version} "
            f"({state.champion.package})"
        )
    if view.routing:
        agreement = view.disagreement or "as recorded"
        lines.append(f"alias, read back: {spoken_routing(view.routing)}; {agreement}")
    if state.rollout:
        lines.append(f"rollout {state.rollout.id}: {state.rollout.phase}, {state.rollout.reason}")
    lines += [f"not read: {fault}" for fault in view.faults]
    lines.append(f"on record: {', '.join(f'{r.seq} {r.action}' for r in view.recent)}")
    return [one_line(line) for line in lines]


def history_table(records: Iterable[AuditRecord]) -> Table:
    """One row an audit record, in the order given."""
    rows = table("seq", "time", "actor", "action", "what changed", "reason")
    for record in records:
        rows.add_row(
            str(record.seq),
            stamp(record.at),
            one_line(record.actor),
            one_line(record.action),
            one_line(what_changed(record)),
            one_line(record.reason),
        )
    return rows


def plan_table(plan: Plan, *, present: int | None = None) -> Table:
    """A plan's stages; an arrow marks the present one."""
    rows = table("stage", "share", "at least", "at most", "requests", "approval")
    for number, stage in enumerate(plan.stages):
        mark = " <-" if number == present else ""
        rows.add_row(
            f"{number + 1}{' bake' if plan.is_bake(number) else ''}{mark}",
            f"{stage.told}{' of some' if stage.match else ''}",
            spoken(stage.min_time),
            spoken(stage.max_time),
            f"{stage.min_requests}",
            "before" if stage.approval else "-",
        )
    rows.add_row("then", "100 %", "-", "-", "-", "-")
    return rows


def evidence_table(numbers: Mapping[str, Any]) -> Table:
    """A verdict's numbers, under the names that the analysis gave them: one row a metric."""
    metrics = {name: values for name, values in numbers.items() if isinstance(values, Mapping)}
    names = dict.fromkeys(name for values in metrics.values() for name in values)
    # What counts "x of y" is one column.
    columns = [name for name in names if name.removesuffix("_of") not in names.keys() - {name}]
    rows = table("evidence", *(column.replace("_", " ") for column in columns))
    for metric, values in metrics.items():
        rows.add_row(metric, *(_count(values, column) for column in columns))
    return rows


def _totals(numbers: Mapping[str, Any]) -> str:
    """Those of a verdict's numbers that are not of one metric."""
    totals = {name: value for name, value in numbers.items() if not isinstance(value, Mapping)}
    return ", ".join(f"{name.replace('_', ' ')} {_count(totals, name)}" for name in totals)


def _count(values: Mapping[str, Any], name: str) -> str:
    count = _told(values.get(name))
    return f"{count} of {_told(values[f'{name}_of'])}" if f"{name}_of" in values else count


def _told(value: object) -> str:
    """A number, an interval such as ``0.5 to -`` (nothing bounds it), or a word."""
    if isinstance(value, list | tuple):
        return " to ".join(_told(bound) for bound in value)
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _champion(view: View) -> str:
    champion = view.state.champion
    return f"{champion.version} {champion.package}" if champion else "none"


def _challenger(rollout: Rollout | None) -> str:
    if rollout is None:
        return "-"
    return f"{rollout.challenger or 'unpublished'} {rollout.package}"


def _phase(rollout: Rollout | None) -> Text:
    if rollout is None:
        return Text("-")
    return Text(rollout.phase.value, style=_COLOURS.get(rollout.phase, "yellow"))


def _guardrail(guard: Guard | None) -> Text:
    if guard is None:
        return Text("-")
    return Text(guard.state.value, style="red" if guard.state is AlarmState.ALARM else "")


def _armed(guard: Guard | None) -> str:
    if guard is None:
        return ""
    watched = f"armed for version {guard.armed_for}" if guard.armed_for else "not armed"
    return one_line(f", {watched}; {guard.reason}" if guard.reason else f", {watched}")


def _why(view: View) -> str:
    if view.faults:
        return one_line("; ".join(view.faults))
    if view.disagreement:
        return one_line(view.disagreement)
    if view.verdict:
        return one_line(f"{view.verdict.kind}: {view.verdict.reason}")
    return one_line(view.state.rollout.reason) if view.state.rollout else "-"
