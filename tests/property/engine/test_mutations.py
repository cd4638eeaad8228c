"""The simulation can fail: each of these faults in the engine is found, and told as a schedule."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite
from halftone.ports.state import Change
from halftone.testing import MemoryStore
from tests.property.engine.exploration import AGAIN, explore, replay
from tests.property.engine.mutants import Engine, engine, mutant
from tests.property.engine.promises import Broken
from tests.property.engine.scenarios import scenarios


class Careless(MemoryStore):
    """A store that does not ask whether what was read is still the newest."""

    def commit(self, change: Change) -> None:
        """See ``Store``, without its condition."""
        self.dispatches[change.after.endpoint] = route_config_of(change.after)
        self.states[change.after.endpoint] = change.after
        self.records[change.after.endpoint].append(change.record)
        if change.deployment:
            self.published[change.after.endpoint][change.deployment.version] = change.deployment


class Apart(MemoryStore):
    """A store to which the dispatch is written in a call of its own."""

    def put_dispatch(self, state: EndpointState) -> None:
        """The dispatch alone."""
        self.dispatches[state.endpoint] = route_config_of(state)


class Halves(MemoryStore):
    """A store that writes a state and its record one after the other."""

    def put_state(self, change: Change) -> None:
        """The state alone."""
        name = change.after.endpoint
        newest = self.states.get(name)
        if (newest.revision if newest else None) != (change.before and change.before.revision):
            raise ConcurrentWrite(name)
        self.states[name] = change.after
        self.dispatches[name] = route_config_of(change.after)
        if change.deployment:
            self.published[name][change.deployment.version] = change.deployment

    def put_record(self, change: Change) -> None:
        """The record alone."""
        self.records[change.after.endpoint].append(change.record)


@dataclass(frozen=True)
class Fault:
    """A faulty engine or store, a scenario in which it shows, and the promise it breaks first."""

    scenario: str
    promise: int
    engine: Callable[[], Engine] = engine
    store: type[MemoryStore] = MemoryStore
    blind: bool = False
    """Whether fronts take whatever version answers what they pass on."""


def instead(module: str, old: str, new: str, *also: tuple[str, str]) -> Callable[[], Engine]:
    """An engine whose ``module`` says ``new`` where it says ``old``; ``also`` likewise."""
    return lambda: mutant(module, old, new, *also)


NO_FENCE = instead(
    "rollback",
    """\
    return commit(
        ports,
        state,
        replace(
            bar(state, running.challenger, author.reason) if bars else state,
            rollout=replace(going, reason=author.reason),
        ),
        action="fence",
        author=author,
        numbers=numbers,
    )
""",
    """\
    return replace(
        state, rollout=replace(running.to(Phase.ROLLING_BACK, target=0.0), reason=author.reason)
    )
""",
)
BLIND_ADVANCE = instead(
    "reconcile",
    "point(ports, state, alias, routing, revision=read.revision)",
    "point(ports, state, alias, routing, revision=None)",
)
BLIND_ROLLBACK = instead("reconcile", "revision=revisions[alias]", "revision=None")
NO_SECOND_LOOK = instead("reconcile", "newest.revision != state.revision", "newest.revision < 0")
IN_HALVES = instead(
    "unit_of_work",
    """\
    ports.store.commit(Change(read, written, record, deployment, ports.request))
""",
    """\
    change = Change(read, written, record, deployment, ports.request)
    ports.store.put_state(change)
    ports.store.put_record(change)
""",
)
RECORD_BEFORE_ALIAS = instead(
    "advance",
    """\
        aliases = ports.aliases.both(endpoint)
        state = ports.store.load(endpoint)
""",
    """\
        state = ports.store.load(endpoint)
        aliases = ports.aliases.both(endpoint)
""",
)
NO_LOOK_AT_ALARMS = instead(
    "advance", "unfit, detail = _unfit(ports, state.endpoint, running)", "unfit = detail = ''"
)
NO_SAMPLES = instead(
    "prepare",
    "samples = ports.packages.manifest(rollout.package.digest).samples",
    "samples = ()",
)
ANY_ALARM = instead("rollback", "return self.fired_at is None or (", "return True or (")
NO_MEMORY = instead("release", "    if before:\n", "    if False:\n")
NO_LOOK_AFTER_SUPERSEDING = instead(
    "release",
    'raise ConcurrentWrite("the rollout under way was ended: look at what serves now")',
    "state = ports.store.load(request.endpoint)",
)
NO_RECONCILING = instead("advance", "reconcile(ports, state, aliases)", "pass")
NO_YIELDING = instead("advance", "if isinstance(agreement, Yield):", "if False:")
UNCONFIRMED = ("        if routing != fenced.home:", "        if False:")
CHALLENGER_FORGOTTEN = instead("reconcile", "in fenced.way_home:", "in (ALIAS,):", UNCONFIRMED)
LIVE_FORGOTTEN = instead("reconcile", "in fenced.way_home:", "in (CHALLENGER,):", UNCONFIRMED)
NO_FRONT = instead(
    "advance",
    "give(ports, state, aliases, desired.live, desired.challenger)",
    "give(ports, state, aliases, replace(running, mode=type(running.mode)('weighted'))"
    ".routing(running.target), desired.challenger)",
)
DISPATCH_FIRST = instead(
    "unit_of_work",
    "    ports.store.commit(",
    "    ports.store.put_dispatch(written)\n    ports.store.commit(",
)
ALIAS_BEFORE_INTENT = instead(
    "advance",
    """\
            following = running.onward(verdict.kind)
            return commit_rollout(
""",
    """\
            following = running.onward(verdict.kind)
            more = running.routing(following.target)
            ports.aliases.write(state.endpoint, more, revision=running.alias_revision)
            return commit_rollout(
""",
)
CONFIRMED_BEFORE_ALIAS = instead(
    "rollback",
    "anchor = take(ports, state, fenced)",
    "anchor = state.anchor",
    (
        "    return commit(\n        ports,\n        state,\n        replace(state, rollout=done,",
        "    after = commit(\n        ports,\n        state,\n        replace(state, rollout=done,",
    ),
    (
        """\
        numbers={"alias": fenced.home.main},
    )
""",
        """\
        numbers={"alias": fenced.home.main},
    )
    take(ports, after, fenced)
    return after
""",
    ),
)
PROMOTED_BEFORE_ALIAS = instead(
    "advance",
    """\
    desired = projection(state)
    before = aliases
""",
    """\
    desired = projection(state)
    before = aliases
    if running.target == 100.0:
        _promoted(ports, state, running)
""",
)
ALL_IS_WELL = instead(
    "observe",
    "    verdict = judge(evidence, rollout.plan, stage, rollout.units)\n",
    """\
    from dataclasses import replace
    verdict = replace(judge(evidence, rollout.plan, stage, rollout.units), kind=VerdictKind.PASS)
""",
)

FAULTS = {
    "the fence is not written": Fault("advance, person", 2, NO_FENCE),
    "an advance writes the alias blindly": Fault("advance, person", 3, BLIND_ADVANCE),
    "a rollback writes the alias blindly": Fault("return, return, tick", 3, BLIND_ROLLBACK),
    "a rollback does not look whether it is still wanted": Fault(
        "return, return, tick", 3, NO_SECOND_LOOK
    ),
    "the record's revision is not checked": Fault("advance, person", 4, store=Careless),
    "record and state are written one after the other": Fault(
        "advance, alarm", 4, IN_HALVES, Halves
    ),
    "the record is read before the alias": Fault("first release, person", 8, RECORD_BEFORE_ALIAS),
    "the alias is written before the intent": Fault("advance, alarm", 2, ALIAS_BEFORE_INTENT),
    "a rollback is confirmed before the alias is written": Fault(
        "advance, person", 8, CONFIRMED_BEFORE_ALIAS
    ),
    "a success is told before the alias is written": Fault(
        "advance, alarm", 8, PROMOTED_BEFORE_ALIAS
    ),
    "nobody looks at the alarms before a shift": Fault("advance, alarm", 1, NO_LOOK_AT_ALARMS),
    "no samples are sent": Fault("prepare, two ticks at once", 1, NO_SAMPLES),
    "any alarm ends any rollout": Fault("alarm, supersede", 7, ANY_ALARM),
    "old requests are forgotten": Fault("supersede twice", 7, NO_MEMORY),
    "what was released while superseding is overlooked": Fault(
        "supersede twice", 2, NO_LOOK_AFTER_SUPERSEDING
    ),
    "nothing is reconciled where nothing rolls out": Fault(
        "promoted, alias to an old champion", 8, NO_RECONCILING
    ),
    "traffic that was taken back is not noticed": Fault(
        "silence, alias to champion", 8, NO_YIELDING
    ),
    "the challenger's alias is not pointed home": Fault(
        "guarded: advance, alarm", 8, CHALLENGER_FORGOTTEN
    ),
    "the live alias is not pointed home": Fault("guarded: promote now, alarm", 8, LIVE_FORGOTTEN),
    "a guarded share is written to the live alias": Fault(
        "guarded: next share, alarm", 2, NO_FRONT
    ),
    "the dispatch is written before the record": Fault(
        "guarded: next share, alarm", 2, DISPATCH_FIRST, Apart
    ),
    "fronts take whatever version answers": Fault(
        "guarded: rollback held up, next release", 2, blind=True
    ),
    "silence is success": Fault("silence", 6, ALL_IS_WELL),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_engine_is_found_out(name):
    fault = FAULTS[name]
    scenario = scenarios(fault.engine(), fault.store, blind=fault.blind)[fault.scenario]
    with pytest.raises(AssertionError, match=f"promise {fault.promise} is broken") as caught:
        explore(replace(scenario, switches=3))
    script = str(caught.value).partition(AGAIN)[2].strip().splitlines()
    assert_breaks(script, fault)


def assert_breaks(script: list[str], fault: Fault) -> None:
    """The script that is told replays the schedule, up to the same broken promise."""
    *imports, replayed = script
    compile("\n".join(imports), "the imports", "exec")
    names = {
        "replay": replay,
        "engine": fault.engine,
        "scenarios": lambda made: scenarios(made, fault.store, blind=fault.blind),
    }
    with pytest.raises(Broken, match=f"promise {fault.promise} is broken"):
        exec(replayed, names)  # noqa: S102


def test_the_script_of_a_schedule_runs_as_it_is_told():
    fault = FAULTS["the fence is not written"]
    scenario = scenarios(fault.engine())[fault.scenario]
    with pytest.raises(AssertionError) as caught:
        explore(replace(scenario, switches=3))
    script = str(caught.value).partition(AGAIN)[2]
    exec(script, {})  # the same on the engine as it is, which keeps its promises  # noqa: S102


def test_a_mutation_that_no_longer_applies_is_told():
    with pytest.raises(LookupError, match=r"halftone.service.rollouts.advance has 0 times"):
        mutant("advance", "no such line", "")
