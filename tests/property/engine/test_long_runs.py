"""Beyond the exhaustive depth: long lives of an endpoint, with everything that can meet in them.

Any number of processes at once, each standing between any two of its calls; crashes and faults as
they come; time, alarms, deploys, people. The promises are checked at every step, and at the end,
when everybody has gone home.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from halftone.domain.audit import Author
from halftone.domain.rollout.plan import Plan
from halftone.service.endpoints import availability, policy
from tests.property.engine.mutants import engine
from tests.property.engine.scenarios import (
    ONE_STEP,
    PASSES,
    REWRITES_ALARMS,
    STEP,
    Acts,
    Cast,
    hand,
    request,
    world,
)
from tests.property.engine.simulation import OUTSIDE, Act, Process, Standing
from tests.property.engine.stage import AFTER, BEFORE, DIES, WELL, Scenario, Stage
from tests.support.engine import ALL_AT_ONCE, NAME

CAST = Cast(engine())
MODELS = ("m2", "m3", "m4", "m5")
PLANS = {
    "in one step": ONE_STEP,
    "at once": ALL_AT_ONCE,
    "in two steps": Plan((replace(STEP, weight=5.0), STEP), bakes=False),
    "with a gate": replace(ONE_STEP, approve_all=True),
}


def does(change: Callable[..., object], *what: object) -> Acts:
    """Somebody changes how the endpoint serves."""
    return (Act(lambda ports, _, __: change(ports, NAME, *what, author=Author("bob", "a try"))),)


STARTS: dict[str, Acts] = {
    "tick": CAST.ticks(1),
    "workflow": CAST.ticks(4),
    "alarm": CAST.alarm,
    "late alarm": CAST.late_alarm,
    "rollback": CAST.user,
    "return": CAST.returns(None),
    "return to 1": CAST.returns("1"),
    "return as asked": CAST.returns_as_asked,
    "pause": CAST.says("pause"),
    "resume": CAST.says("resume"),
    "approve": CAST.says("approve", stage=1),
    "reject": CAST.says("reject"),
    "promote": CAST.says("promote"),
    "abort": CAST.says("abort"),
    "alarms rewritten": REWRITES_ALARMS,
    "alias to 1 by hand": hand("1"),
    "alias to 2 by hand": hand("2"),
    "time": (PASSES,),
    "disable": does(availability.disable),
    "enable": does(availability.enable),
    "mode guarded": does(policy.set_mode, "guarded"),
    "mode weighted": does(policy.set_mode, "weighted"),
    "traffic to 2": does(policy.set_traffic, {"champion": 80, "2": 20}),
    "mirror to 1": does(policy.set_mirror, {"to": "1", "share": 10}),
}


# One stage for all lives: what a process does after the same answers is worked out once.
STAGE = Stage(Scenario("a long life", lambda: world("m1", then=MODELS), {}, {}, CAST.next_tick))


@cache
def started(name: str) -> Process:
    """The process of that name in STARTS."""
    return Process(name, *STARTS[name])


@cache
def deploy(model: str, plan: str) -> Process:
    """CloudFormation asking for ``model`` by ``plan``."""
    name = f"{model} {plan}"
    return Process(name, *CAST.deploy(request(model, PLANS[plan], key=name)))


ALARM_AGAIN = Process("the alarm", CAST.repeated_alarm)


class Life(RuleBasedStateMachine):
    """An endpoint on which m1 serves, and all that happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = STAGE
        self.world = STAGE.begin
        self.present: list[tuple[Process, Standing]] = []
        self.answered = {ALARM_AGAIN}

    @rule(name=st.sampled_from(sorted(STARTS)))
    def starts(self, name: str) -> None:
        """A process comes in."""
        self._come_in(started(name))

    @rule(model=st.sampled_from(MODELS), plan=st.sampled_from(sorted(PLANS)))
    def deploys(self, model: str, plan: str) -> None:
        """CloudFormation asks for a release; the same request may come again."""
        self._come_in(deploy(model, plan))

    def _come_in(self, who: Process) -> None:
        self.present.append((who, self.stage.ready(self.world, who.start)))

    @precondition(lambda self: self.present)
    @rule(data=st.data(), kind=st.sampled_from((WELL, WELL, WELL, WELL, DIES, BEFORE, AFTER)))
    def steps(self, data: st.DataObject, kind: str) -> None:
        """One of them makes its next call."""
        i = data.draw(st.integers(0, len(self.present) - 1))
        self._step(i, kind)

    @precondition(lambda self: self.present)
    @rule(data=st.data(), calls=st.integers(2, 60))
    def runs(self, data: st.DataObject, calls: int) -> None:
        """One of them makes many calls, with nobody in between."""
        i = data.draw(st.integers(0, len(self.present) - 1))
        for _ in range(calls):
            if not self._step(i, WELL):
                return

    def _step(self, i: int, kind: str) -> bool:
        who, standing = self.present[i]
        assert standing.call is not None
        if standing.call.port == OUTSIDE or (standing.call.reads and kind == AFTER):
            kind = WELL
        self.world, following = self.stage.step(self.world, standing, kind)
        self.present[i] = (who, following)
        if following.call is None:
            del self.present[i]
            if who.name not in STARTS and not isinstance(following.result, BaseException):
                self.answered.add(who)
        return following.call is not None

    def teardown(self) -> None:
        """Everybody goes home, one after the other; then the next tick comes, and events again."""
        while self.present:
            self._step(0, WELL)
        self.stage.repeated = sorted(self.answered, key=lambda who: who.name)
        self.stage.end(self.world)


TestLife = Life.TestCase
TestLife.settings = hypothesis.settings(
    max_examples=3 * hypothesis.settings.default.max_examples, stateful_step_count=50
)
