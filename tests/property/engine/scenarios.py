"""Who meets whom: the situations that the engine is explored in.

Each begins with a world that was brought there by the engine itself, undisturbed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.rollout.routing import Routing
from halftone.domain.traffic.policy import Mode
from halftone.ports import Ports
from halftone.service.releases.release import ReleaseRequest
from halftone.testing import MemoryStore
from tests.property.engine.mutants import Engine
from tests.property.engine.simulation import Act, Outside
from tests.property.engine.stage import Scenario
from tests.property.engine.world import Memory, World, told
from tests.support.engine import ALL_AT_ONCE, EVERY, NAME, Endpoint

STEP = Stage(50.0, min_time=BUCKET, max_time=timedelta(minutes=5), min_requests=500)
ONE_STEP = Plan((STEP,), bakes=False)
TWO_STEPS = Plan((replace(STEP, weight=5.0), STEP), bakes=False)
SCORED_FIRST = Plan((replace(STEP, weight=0.0, mirror=10.0), STEP), bakes=False)
CALM = Arm(requests=2000, errors=0, timed=2000, late=0)
CLOUDFORMATION = ("deploy", "second", "gone")
"""Processes whose requests may be delivered once more when all is over."""

Acts = tuple[Act, ...]
HORIZON = 60
"""Ten-second buckets of traffic that a world holds; those that have not passed are not seen."""


@dataclass(frozen=True)
class Cast:
    """The processes that can be put into a scenario, on one engine."""

    engine: Engine

    @property
    def tick(self) -> Act:
        """One tick of the workflow, or of the schedule."""
        return Act(lambda ports, _, __: self.engine.advance(ports, NAME, None, every=EVERY))

    @property
    def next_tick(self) -> Act:
        """The tick that comes ten seconds after everything else."""

        def program(ports: Ports, outside: Outside, _: Any) -> object:
            outside("pass_by", BUCKET.total_seconds())
            return self.engine.advance(ports, NAME, None, every=EVERY)

        return Act(program)

    def ticks(self, count: int) -> Acts:
        """A workflow: so many ticks, with time passing between them. After one that dies comes the
        next.
        """
        return tuple([self.tick, PASSES] * count)[:-1]

    @property
    def alarm(self) -> Acts:
        """CloudWatch sees the challenger fail; the event is delivered until it is taken."""
        return (Act(lambda _, outside, __: outside("alarm")), self._alarmed)

    @property
    def repeated_alarm(self) -> Act:
        """The last alarm's event once more, in one go."""

        def program(ports: Ports, outside: Outside, _: Any) -> object:
            return self._alarmed.program(ports, outside, outside("fired_at"))

        return Act(program)

    @property
    def late_alarm(self) -> Acts:
        """The last alarm's event, delivered once more."""
        return (Act(lambda _, outside, __: outside("fired_at")), self._alarmed)

    @property
    def _alarmed(self) -> Act:
        def program(ports: Ports, _: Outside, fired_at: Any) -> object:
            if fired_at is None:
                return None
            reason = "errors above 5 %"
            return self.engine.roll_back(
                ports, NAME, author=Author("alarm", reason), fired_at=fired_at
            )

        return Act(program, again=2)

    @property
    def user(self) -> Acts:
        """Somebody rolls back; if it fails, they look away."""

        def program(ports: Ports, _: Outside, __: Any) -> object:
            return self.engine.roll_back(ports, NAME, author=Author("ann", "clients complain"))

        return (Act(program),)

    def returns(self, version: str | None) -> Acts:
        """Somebody returns to an earlier version."""

        def program(ports: Ports, _: Outside, __: Any) -> object:
            return self.engine.revert(
                ports, NAME, version=version, author=Author("bob", "it drifts")
            )

        return (Act(program),)

    @property
    def returns_as_asked(self) -> Acts:
        """The control API carries out a return, held to what was there when it was asked for."""
        asked = Act(lambda ports, _, __: self.engine.seen.of(ports.store.load(NAME)))

        def program(ports: Ports, _: Outside, seen: Any) -> object:
            if seen is None:
                return None
            return self.engine.revert(
                ports, NAME, version=None, author=Author("bob", "it drifts"), seen=seen
            )

        return (asked, Act(program, again=2))

    def says(self, word: str, **more: object) -> Acts:
        """Somebody says one of the words that a rollout under way knows."""

        def program(ports: Ports, _: Outside, __: Any) -> object:
            return getattr(self.engine.operate, word)(
                ports, NAME, author=Author("ann", "a look first"), **more
            )

        return (Act(program),)

    def deploy(self, request: ReleaseRequest) -> Acts:
        """CloudFormation asks for a release, until it is answered."""
        return (Act(lambda ports, _, __: self.engine.release(ports, request), again=2),)

    @property
    def retires(self) -> Acts:
        """CloudFormation deletes the endpoint, until it is answered."""

        def program(ports: Ports, _: Outside, __: Any) -> object:
            return self.engine.retire(ports, NAME, author=Author("cfn", "deleted"), key="d1")

        return (Act(program, again=2),)


PASSES = Act(lambda _, outside, __: outside("pass_by", BUCKET.total_seconds()))
"""Ten seconds pass."""

REWRITES_ALARMS = (Act(lambda _, outside, __: outside("disarm")),)
"""A deploy puts the template's value back into the alarms."""


def hand(version: str, alias: str = ALIAS) -> Acts:
    """Somebody points an alias at ``version`` alone, past the engine."""
    return (Act(lambda _, outside, __: outside("write_alias", Routing(version), alias)),)


def world(
    *served: str,
    challenger: str | None = None,
    plan: Plan = ONE_STEP,
    then: Iterable[str] = (),
    store: type[MemoryStore] = MemoryStore,
    mode: Mode = Mode.WEIGHTED,
    blind: bool = False,
) -> World:
    """A world in which ``served`` were champion in turn, and ``challenger`` is watched at 50 %.

    ``then`` are models that a process may release later. ``blind`` fronts take whatever answers.
    """
    made = World(store(), blind=blind)
    endpoint = Endpoint(made.real)
    for model in served:
        endpoint.serve(model)
    if served:
        endpoint.serving(mode=mode)
    start = made.real.clock.moment
    made.real.metrics.counted[NAME] = [
        Bucket(start + i * BUCKET, CALM, CALM) for i in range(HORIZON)
    ]
    if challenger:
        endpoint.release(challenger, plan=plan)
        endpoint.tick_until(Phase.OBSERVING)
        made.real.clock.pass_by(BUCKET)
    for model in then:
        endpoint.offer(model)
    versions = range(1, len(made.real.functions.versions[NAME]) + 1)
    made.memory = Memory(
        answered=frozenset(str(version) for version in versions),
        told=told(frozenset(), made.real.store.dispatches.get(NAME)),
    )
    return made


def request(model: str, plan: Plan = ONE_STEP, key: str | None = None) -> ReleaseRequest:
    """A deploy that declares ``model``."""
    return Endpoint().request(model, key, plan=plan)


def scenarios(
    engine: Engine, store: type[MemoryStore] = MemoryStore, *, blind: bool = False
) -> Mapping[str, Scenario]:
    """Every situation by its name, with its processes on ``engine`` and its record in ``store``.

    ``blind`` fronts do not ask which version answers what they pass on.
    """
    cast = Cast(engine)
    m2, m3, m4 = (request(model, key=f"k-{model}") for model in ("m2", "m3", "m4"))
    m3_at_once = request("m3", ALL_AT_ONCE, key="k-m3")

    def watched() -> World:
        return world("m1", challenger="m2", then=("m3", "m4"), store=store)

    def gated() -> World:
        """As watched, with a gate before all traffic."""
        return world("m1", challenger="m2", plan=replace(ONE_STEP, approve_all=True), store=store)

    def silent() -> World:
        """As watched, but nobody asks anything."""
        made = watched()
        made.real.metrics.counted[NAME] = []
        return made

    def guarded(plan: Plan = ONE_STEP) -> Callable[[], World]:
        """As watched, in guarded mode: the champion passes 50 % on."""
        return lambda: world(
            "m1", challenger="m2", plan=plan, then=("m3", "m4"), store=store, mode=Mode.GUARDED,
            blind=blind,
        )  # fmt: skip

    def released(mode: Mode) -> Callable[[], World]:
        """m1 serves in that mode; m2 may be released."""
        return lambda: world("m1", then=("m2",), store=store, mode=mode, blind=blind)

    def scored(mode: Mode) -> Callable[[], World]:
        """m2 scores 10 % unseen, in that mode; it will answer 50 % next."""
        return lambda: world(
            "m1", challenger="m2", plan=SCORED_FIRST, then=("m3",), store=store, mode=mode,
            blind=blind,
        )  # fmt: skip

    def served(*models: str) -> Callable[[], World]:
        return lambda: world(*models, then=("m2", "m3"), store=store)

    def scenario(name: str, begin: Callable[[], World], **processes: Acts) -> Scenario:
        repeated = {"the alarm": cast.repeated_alarm} if "alarm" in processes else {}
        repeated |= {name: acts[0] for name, acts in processes.items() if name in CLOUDFORMATION}
        return Scenario(name, begin, processes, repeated, cast.next_tick)

    made = [
        scenario("advance, alarm", watched, tick=cast.ticks(2), alarm=cast.alarm),
        scenario("advance, person", watched, tick=cast.ticks(2), user=cast.user),
        scenario("advance, two ticks at once", watched, tick=cast.ticks(1), schedule=cast.ticks(1)),
        scenario("advance, supersede", watched, tick=cast.ticks(2), deploy=cast.deploy(m3)),
        scenario("advance, alarms rewritten", watched, tick=cast.ticks(2), stack=REWRITES_ALARMS),
        scenario("advance, alias to champion", watched, tick=cast.ticks(2), hand=hand("1")),
        scenario("advance, alias to challenger", watched, tick=cast.ticks(2), hand=hand("2")),
        scenario("advance, retire", watched, tick=cast.ticks(2), gone=cast.retires),
        scenario("promoted, alias to an old champion", served("m1", "m2"), tick=cast.ticks(2),
                 hand=hand("1")),
        scenario("silence", silent, tick=cast.ticks(3), schedule=cast.ticks(2)),
        scenario("silence, alias to champion", silent, tick=cast.ticks(2), hand=hand("1")),
        scenario("advance, promote now", watched, tick=cast.ticks(2), user=cast.says("promote")),
        scenario("pause and resume", watched, tick=cast.ticks(2), user=cast.says("pause"),
                 other=cast.says("resume")),
        scenario("promote now, alarm", watched, tick=cast.ticks(1), user=cast.says("promote"),
                 alarm=cast.alarm),
        scenario("approve, alarm", gated, tick=cast.ticks(2), alarm=cast.alarm,
                 user=cast.says("approve", stage=1)),
        scenario("approve, reject", gated, tick=cast.ticks(2),
                 user=cast.says("approve", stage=1), other=cast.says("reject")),
        scenario("alarm, person", watched, alarm=cast.alarm, user=cast.user),
        scenario("alarm, supersede", watched, alarm=cast.alarm, deploy=cast.deploy(m3)),
        scenario("alarm, retire", watched, alarm=cast.alarm, gone=cast.retires),
        scenario("supersede twice", watched, deploy=cast.deploy(m3), second=cast.deploy(m4)),
        scenario("first release, person", served(), deploy=cast.deploy(m2), user=cast.user,
                 tick=cast.ticks(3)),
        scenario("first release, two ticks at once", served(), deploy=cast.deploy(m2),
                 tick=cast.ticks(2), schedule=cast.ticks(2)),
        scenario("prepare, two ticks at once", served("m1"), deploy=cast.deploy(m2),
                 tick=cast.ticks(2), schedule=cast.ticks(2)),
        scenario("return, return", served("m1", "m2", "m3"), one=cast.returns(None),
                 two=cast.returns("1")),
        scenario("return, release", served("m1", "m2"), one=cast.returns(None),
                 deploy=cast.deploy(m3_at_once)),
        scenario("advance, alarm, two ticks at once", watched, tick=cast.ticks(1),
                 schedule=cast.ticks(1), alarm=cast.alarm),
        scenario("advance, alarm, person", watched, tick=cast.ticks(1), alarm=cast.alarm,
                 user=cast.user),
        scenario("advance, alarm, supersede", watched, tick=cast.ticks(1), alarm=cast.alarm,
                 deploy=cast.deploy(m3)),
        scenario("advance, alarm, alarms rewritten", watched, tick=cast.ticks(2),
                 alarm=cast.alarm, stack=REWRITES_ALARMS),
        scenario("advance, supersede twice", watched, tick=cast.ticks(1),
                 deploy=cast.deploy(m3), second=cast.deploy(m4)),
        scenario("rollback held up, next release", watched, user=cast.user,
                 deploy=cast.deploy(m3_at_once), tick=cast.ticks(3)),
        scenario("late alarm, next release", watched, alarm=cast.alarm, late=cast.late_alarm,
                 deploy=cast.deploy(m3), tick=cast.ticks(2)),
        scenario("return, return, tick", served("m1", "m2", "m3"), one=cast.returns("2"),
                 two=cast.returns("1"), tick=cast.ticks(1)),
        scenario("return, release, tick", served("m1", "m2"), one=cast.returns(None),
                 deploy=cast.deploy(m3_at_once), tick=cast.ticks(2)),
        scenario("guarded: advance, alarm", guarded(), tick=cast.ticks(2), alarm=cast.alarm),
        scenario("guarded: advance, person", guarded(), tick=cast.ticks(2), user=cast.user),
        scenario("guarded: next share, alarm", guarded(TWO_STEPS), tick=cast.ticks(2),
                 alarm=cast.alarm),
        scenario("guarded: next share, two ticks at once", guarded(TWO_STEPS), tick=cast.ticks(2),
                 schedule=cast.ticks(1)),
        scenario("guarded: first share, person", released(Mode.GUARDED), deploy=cast.deploy(m2),
                 user=cast.user, tick=cast.ticks(3)),
        scenario("guarded: first share, two ticks at once", released(Mode.GUARDED),
                 deploy=cast.deploy(m2), tick=cast.ticks(2), schedule=cast.ticks(2)),
        scenario("guarded: promote now, alarm", guarded(), tick=cast.ticks(1),
                 user=cast.says("promote"), alarm=cast.alarm),
        scenario("guarded: promote now, return", guarded(), tick=cast.ticks(1),
                 user=cast.says("promote"), one=cast.returns("1")),
        scenario("guarded: advance, supersede", guarded(), tick=cast.ticks(2),
                 deploy=cast.deploy(m3)),
        scenario("guarded: alarm, supersede", guarded(), alarm=cast.alarm, deploy=cast.deploy(m3),
                 tick=cast.ticks(1)),
        scenario("guarded: advance, alarms rewritten", guarded(), tick=cast.ticks(2),
                 stack=REWRITES_ALARMS),
        scenario("guarded: advance, alias to champion", guarded(), tick=cast.ticks(2),
                 hand=hand("1", CHALLENGER)),
        scenario("guarded: advance, alias to challenger", guarded(), tick=cast.ticks(2),
                 hand=hand("2")),
        scenario("guarded: advance, retire", guarded(), tick=cast.ticks(2), gone=cast.retires),
        scenario("guarded: rollback held up, next release", guarded(), user=cast.user,
                 deploy=cast.deploy(m3), tick=cast.ticks(3)),
        scenario("guarded mirror: advance, alarm", scored(Mode.GUARDED), tick=cast.ticks(2),
                 alarm=cast.alarm),
        scenario("mirror: advance, alarm", scored(Mode.WEIGHTED), tick=cast.ticks(2),
                 alarm=cast.alarm),
        scenario("mirror: first share, person", scored(Mode.WEIGHTED), tick=cast.ticks(3),
                 user=cast.user),
        scenario("mirror: advance, supersede", scored(Mode.WEIGHTED), tick=cast.ticks(1),
                 deploy=cast.deploy(m3)),
    ]  # fmt: skip
    return {found.name: found for found in made}
