"""What the engine costs: microseconds a decision, and calls to AWS an act.

    python -m benchmarks.engine                  time 10,000 rollouts in memory, count the calls
    python -m benchmarks.engine --rollouts 500   fewer of them
    python -m benchmarks.engine --write          all, and the tables into docs/costs.md

Times are medians over all rollouts. They stand beside the time of one audit record in the same run:
a ratio holds on any machine, microseconds only on this one. Calls: `engine_calls`.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.engine_calls import counted
from benchmarks.engine_fleet import Fleet
from benchmarks.engine_stage import Act
from halftone.domain import audit
from halftone.domain.audit import AuditHead, Author
from halftone.domain.rollout.decide import decide
from halftone.domain.rollout.phase import Phase
from halftone.service.rollouts import operate

PAGE = Path(__file__).parents[1] / "docs" / "costs.md"
BASELINE = "one audit record: canonical JSON, SHA-256"
JUDGED = 300
"""How many rollouts are judged: judging takes milliseconds, and a median needs no more."""

Timings = dict[str, float]


def timed(rollouts: int) -> Timings:
    """Median microseconds of each act, over that many rollouts; half go on, half go back."""
    fleet = Fleet(rollouts)
    medians: Timings = {}

    def measure(name: str, do: Callable[[str], object]) -> None:
        medians.update(_medians({name: do}, fleet.endpoints))

    record = fleet.last_record
    fields = {n: v for n, v in vars(record).items() if n not in ("seq", "previous", "hash")}
    measure(BASELINE, lambda _: audit.append(AuditHead(), **fields))
    measure("release: record the intent", fleet.release)
    measure("tick: publish, smoke-test, arm, give the first share", fleet.prepare)
    fleet.traffic()
    looking = {
        "tick: fold nine buckets, judge, wait": fleet.tick,
        "… of which: judge": fleet.judge,
    }
    medians |= _medians(looking, fleet.endpoints[:JUDGED])
    fleet.traffic()
    stepping = {"tick: fold, judge, decide, record, shift, look again": fleet.tick}
    medians |= _medians(stepping, fleet.endpoints[:JUDGED])
    fleet.must_have_gone_on(JUDGED)
    verdict, now = fleet.judge(fleet.endpoints[0]), fleet.world.clock.now()
    measure("decide", lambda name: decide(fleet.rollout(name), verdict, None, now))
    author = Author("ann", "a look first")
    measure("pause: record", lambda name: operate.pause(fleet.ports, name, author=author))
    half = rollouts // 2
    going_on = {
        "promote now: record": lambda name: operate.promote(fleet.ports, name, author=author),
        "tick: shift, confirm, record": fleet.tick,
    }
    medians |= _medians(going_on, fleet.endpoints[:half])
    fleet.must_be(Phase.PROMOTED, fleet.endpoints[:half])
    going_back = {"rollback: fence, alias, confirm": fleet.roll_back}
    medians |= _medians(going_back, fleet.endpoints[half:])
    fleet.must_be(Phase.ROLLED_BACK, fleet.endpoints[half:])
    return medians


def _medians(acts: Mapping[str, Callable[[str], object]], endpoints: Sequence[str]) -> Timings:
    """Each endpoint does all of ``acts`` in turn, so that they can be compared."""
    spent: dict[str, list[float]] = {name: [] for name in acts}
    begun = time.monotonic()
    for endpoint in endpoints:
        for name, do in acts.items():
            start = time.perf_counter_ns()
            do(endpoint)
            spent[name].append((time.perf_counter_ns() - start) / 1000)
    print(f"{time.monotonic() - begun:5.1f} s  {', '.join(acts)}", file=sys.stderr)
    return {name: statistics.median(each) for name, each in spent.items()}


def times_table(medians: Timings, rollouts: int) -> str:
    """The medians as Markdown."""
    unit = medians[BASELINE]
    rows = "\n".join(
        f"| {name} | {spent / unit:.1f} | {spent:.0f} |" for name, spent in medians.items()
    )
    return f"| in memory, {rollouts:,} rollouts | audit records | µs |\n|---|---:|---:|\n{rows}"


def calls_table(acts: Iterable[Act]) -> str:
    """The calls as Markdown."""
    rows = "\n".join(
        f"| {act.name} | {len(act.calls)} | {', '.join(_runs(act.calls))} |" for act in acts
    )
    return f"| act | calls | which, in their order |\n|---|---:|---|\n{rows}"


def _runs(calls: tuple[str, ...]) -> list[str]:
    """The calls with repetitions of one or two of them told as such."""
    lines: list[str] = []
    rest = list(calls)
    while rest:
        for length in (1, 2):
            block, times = rest[:length], 1
            while rest[length * times : length * (times + 1)] == block:
                times += 1
            if times > 1:
                break
        else:
            block, times = rest[:1], 1
        names = " + ".join(block)
        lines.append(f"{times} × ({names})" if times > 1 else names)
        rest = rest[len(block) * times :]
    return lines


def into_page(page: str, name: str, table: str) -> str:
    """``page`` with ``table`` between the marks called ``name``."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    if not after:
        raise LookupError(f"{PAGE} has no {begin.strip()} ... {end.strip()}")
    return f"{before}{begin}{table}\n{end}{after}"


def main() -> int:
    """Reads the arguments, runs, prints, writes if told to; the exit code."""
    parser = argparse.ArgumentParser(
        description="What the engine costs: time a decision, and calls to AWS an act."
    )
    parser.add_argument("--rollouts", type=int, default=10_000, metavar="N", help="default: 10,000")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/costs.md")
    arguments = parser.parse_args()
    if arguments.rollouts < 2:
        parser.error(f"--rollouts {arguments.rollouts}: give at least 2")
    medians, acts = timed(arguments.rollouts), counted()
    if arguments.json:
        print(json.dumps({"us": medians, "calls": {act.name: act.calls for act in acts}}, indent=1))
    else:
        print(times_table(medians, arguments.rollouts), calls_table(acts), sep="\n\n")
    if arguments.write:
        page = into_page(PAGE.read_text(), "times", times_table(medians, arguments.rollouts))
        PAGE.write_text(into_page(page, "calls", calls_table(acts)))
        print(f"wrote {PAGE.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
