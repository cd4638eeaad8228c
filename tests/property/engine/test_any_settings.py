"""Whatever people set, in any order, with stops and alarms in between: the promises hold.

No traffic without an armed alarm, no split that an alias would have to draw, nothing for a
deployment that is not there, one record for each change and none for anything else.
"""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from halftone.domain.audit import Author
from halftone.domain.endpoint.policy_rules import receivers
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import HalftoneError
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import Mode
from halftone.service.endpoints import availability, policy
from halftone.service.rollouts.alarm import on_alarm
from halftone.service.rollouts.past_champions import past_champions
from tests.support.engine import NAME, Endpoint
from tests.support.serving import BEN, guarded

DEPLOYMENTS = st.sampled_from(["champion", "blue", "green", "teal", "2", "pink"])
SHARES = st.dictionaries(DEPLOYMENTS, st.sampled_from([0, 10, 50, 90, 100]), max_size=3)
TRAFFIC = st.sampled_from(
    [
        {"champion": 100},
        {"champion": 90, "green": 10},
        {"green": 50, "teal": 50},
        {"teal": 100},
        {"champion": 50, "blue": 50},
        {"champion": 0},
    ]
)
MATCHES = st.sampled_from([{"query": {"beta": "1"}}, {"clients": "ann"}])
VALUES: dict[str, st.SearchStrategy[object]] = {
    "mode": st.sampled_from(["guarded", "guarded", "weighted"]),
    "access": st.sampled_from(["public", "private"]),
    "key": st.sampled_from([None, "client", {"query": "user"}]),
    "rules": st.lists(st.fixed_dictionaries({"match": MATCHES, "to": DEPLOYMENTS}), max_size=2),
    "traffic": st.one_of(TRAFFIC, SHARES),
    "mirror": st.one_of(st.none(), DEPLOYMENTS.map(lambda name: {name: 10})),
    "capture": st.sampled_from([0, 10, 200]),
    "stopped": st.sampled_from(["", "maintenance"]),
}
ONE = st.sampled_from([*VALUES, "traffic", "traffic", "rules"]).flatmap(
    lambda name: st.fixed_dictionaries({name: VALUES[name]})
)
FIELDS = st.one_of(ONE, ONE, st.fixed_dictionaries({}, optional=VALUES))


def read_or_error(do: Callable[..., EndpointState], *arguments, **named):
    """What ``do`` answers, or why it says no; any other error is raised."""
    try:
        return do(*arguments, **named)
    except HalftoneError as refusal:
        return refusal


class Settings(RuleBasedStateMachine):
    """People, alarms and releases around one endpoint."""

    endpoint: Endpoint

    @initialize()
    def begin(self) -> None:
        self.endpoint = guarded(unproven=2)

    @rule(fields=FIELDS)
    def somebody_sets(self, fields: dict[str, object]) -> None:
        before, records = self.endpoint.state, len(self.endpoint.history)
        found = read_or_error(policy.set_serving, self.endpoint.ports, NAME, fields, **BEN)
        if isinstance(found, HalftoneError):
            assert self.endpoint.state == before
            assert getattr(found, "field", "-")
        else:
            added = len(self.endpoint.history) - records
            # What is given requests for the first time is armed for, on record, before it has any.
            was, now = before.serving.probation, found.serving.probation
            armed = now is not None and (was is None or was.version != now.version)
            assert added == (found.serving != before.serving) + armed

    @rule(what=st.sampled_from([availability.enable, availability.publish, availability.unpublish]))
    def somebody_switches(self, what) -> None:
        read_or_error(what, self.endpoint.ports, NAME, **BEN)

    @rule()
    def the_alarm_fires(self) -> None:
        now = self.endpoint.world.clock.now()
        on_alarm(self.endpoint.ports, NAME, author=Author("alarm/x", "errors"), fired_at=now)
        assert self.endpoint.state.serving.probation is None

    @rule()
    def a_deploy_rewrites_the_alarms_and_a_tick_comes(self) -> None:
        guards = self.endpoint.world.guardrails
        guards.guards[NAME] = replace(guards.read(NAME), armed_for=None)
        self.endpoint.tick()

    @rule()
    def something_is_released_and_taken_back(self) -> None:
        self.endpoint.release("another", key=f"k{len(self.endpoint.history)}")
        self.endpoint.tick_until(Phase.OBSERVING)
        assert self.endpoint.state.serving.probation is None
        self.the_alarm_fires()

    @invariant()
    def the_promises_hold(self) -> None:
        state = self.endpoint.state
        serving = state.serving
        given = receivers(state, serving)
        proven = {d.version for d in past_champions(self.endpoint.ports, NAME)}
        unproven = [version for version in given if version not in proven]
        assert len(unproven) <= 1
        if unproven:
            assert serving.probation is not None
            assert serving.probation.version == unproven[0] == self.endpoint.armed_for
        if serving.mode is Mode.WEIGHTED:
            assert (serving.split, serving.rules, serving.key) == ((), (), None)
        assert {*given} <= {placed.version for placed in state.placed}
        assert sum(portion.share for portion in serving.split) <= 100.0
        assert serving.mirror is None or serving.mirror.version not in given


TestSettings = Settings.TestCase
TestSettings.settings = examples(max_examples=40, stateful_step_count=20)
