"""Tables of `benchmarks.detection`'s results, and their place in docs/analysis.md."""

from benchmarks.detection_cells import PAIRS, PLANS, Result

BEGIN = "<!-- detection: written by benchmarks/detection.py --write -->"
END = "<!-- detection: end -->"
JUDGES = {
    "halftone": "Halftone",
    "threshold": "threshold alarm",
    "z": "repeated z-test",
    "obrien_fleming": "O'Brien-Fleming",
    "kayenta": "Kayenta",
}
SCENARIOS = (
    "null",
    "incident",
    "ramp",
    "clustered, keys counted",
    "clustered, requests counted",
    "clustered ramp, keys counted",
    "clustered ramp, requests counted",
    "latency null",
    "latency incident",
)
RATES = (10, 1, 0.1)


def tables(results: dict[str, Result]) -> str:
    """All tables that the results suffice for, as Markdown."""
    return "\n\n".join(
        part
        for part in (
            _false_alarms(results),
            _delays(results),
            _safe(results),
            _plans(results),
            _stakes(results),
        )
        if part
    )


def into_page(page: str, text: str) -> str:
    """``page`` with ``text`` between the markers.

    Raises:
        ValueError: if the page lacks them.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page must hold {BEGIN!r} and {END!r} once each")
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}"


def _false_alarms(results: dict[str, Result]) -> str:
    rows = [
        [name, *(_percent(results[name][judge]["decided"]) for judge in JUDGES)]
        for rate in RATES
        for scenario in SCENARIOS
        if (name := f"{scenario}, {rate}/s") in results
    ]
    title = "**False alarms**: share of rollouts of an equal challenger stopped within three hours."
    return _table(title, ["scenario", *JUDGES.values()], rows)


def _delays(results: dict[str, Result]) -> str:
    rows = [
        [
            name,
            *(_delay(result[judge]) for judge in JUDGES),
            _percent(result["halftone"]["in_half_an_hour"]),
        ]
        for name, result in results.items()
        if result.keys() == JUDGES.keys()
        and not any(name.startswith(f"{scenario}, ") for scenario in SCENARIOS)
    ]
    title = (
        "**Detection**: challenger requests until the alarm, median / 90th percentile; where one of"
        " them lies beyond three hours, the share found by then."
    )
    return _table(title, ["challenger", *JUDGES.values(), "Halftone within 30 min"], rows)


def _safe(results: dict[str, Result]) -> str:
    rows = [
        [name, _delay(result["halftone"]), _percent(result["halftone"]["in_half_an_hour"])]
        for name, result in results.items()
        if result.keys() == {"halftone"}
    ]
    title = (
        "**Proof of safety**: challenger requests until an equal challenger is proven to have less"
        " than twice the champion's odds."
    )
    return _table(title, ["rate", "Halftone", "within 30 min"], rows)


def _plans(results: dict[str, Result]) -> str:
    rows = [
        [f"errors {name}", *(_delay(results[f"plans, {name}"][plan]) for plan in PLANS)]
        for name in PAIRS
        if f"plans, {name}" in results
    ]
    title = (
        "**O'Brien-Fleming by the duration that its five looks are planned for**, at 10/s. The"
        " tables above use 3 h."
    )
    return _table(title, ["challenger", *PLANS], rows)


def _stakes(results: dict[str, Result]) -> str:
    rows = [
        [f"errors {name}", *(_delay(results[f"stakes, {name}"][w]) for w in ("staked", "equal"))]
        for name in PAIRS
        if f"stakes, {name}" in results
    ]
    title = "**Halftone's stakes** against equal ones on all alternatives, at 10/s."
    return _table(title, ["challenger", "as built", "equal stakes"], rows)


def _table(title: str, header: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    ruler = ["---"] + ["---:"] * (len(header) - 1)
    return f"{title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in (header, ruler, *rows))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _delay(of: dict[str, float | None]) -> str:
    median, slow, decided = of["median"], of["p90"], of["decided"]
    if median is None:
        return f"{_percent(decided)} found"
    if slow is None:
        return f"{median:,.0f} / {_percent(decided)} found"
    return f"{median:,.0f} / {slow:,.0f}"
