"""Any sequence of deploys, returns, people's changes, deletions and repeated events.

An oracle that knows nothing of the journal says what each field must be: a deploy sets what its
declaration changed; a failed one gives that back, unless somebody has set it meanwhile; nothing
else changes anything.
"""

from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from halftone.domain.audit import Author
from halftone.domain.endpoint.deploy_fields import live_fields
from halftone.domain.rollout.deploys import MOST_RECORDS
from halftone.domain.rollout.phase import Phase
from halftone.service.endpoints import policy
from halftone.service.endpoints.capacity import edit
from halftone.service.endpoints.endpoints import set_owner
from halftone.service.groups import make_group
from tests.support.cloudformation import Declared, Stack
from tests.support.engine import ALL_AT_ONCE, NAME, Endpoint
from tests.support.rollouts import PLAN

GROUPS = ("clinic", "bank")
USUAL: dict[str, Any] = {
    "access": "public",
    "capture": {"share": 0, "redact": []},
    "label": None,
    "stopped": "",
    "description": "",
    "concurrency": None,
    "tags.a": None,
    "group": None,
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "access": st.sampled_from(["public", "private"]),
    "capture": st.sampled_from([{"share": s, "redact": []} for s in (0, 5, 10)]),
    "label": st.sampled_from(["y", "risk"]),
    "stopped": st.sampled_from(["", "for now"]),
    "description": st.sampled_from(["ours", "theirs"]),
    "concurrency": st.sampled_from([5, 10]),
    "tags.a": st.sampled_from(["1", "2"]),
    "group": st.sampled_from(GROUPS),
}
SERVING = ("access", "capture", "label", "stopped")
FILES = st.fixed_dictionaries({}, optional=VALUES)
SETTINGS = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.tuples(st.just(name), VALUES[name])
)


def declared(file: dict[str, Any], **more: Any) -> Declared:
    """A declaration of the flat fields in ``file``."""
    upkeep = {n: file[n] for n in ("description", "concurrency") if n in file}
    if "tags.a" in file:
        upkeep["tags"] = {"a": file["tags.a"]}
    return Declared(
        serving={n: file[n] for n in SERVING if n in file},
        upkeep=upkeep,
        group=file.get("group"),
        **more,
    )


class Deploys(RuleBasedStateMachine):
    """One endpoint, the stack that declares it, and people."""

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = Endpoint()
        for group in GROUPS:
            make_group(
                self.endpoint.ports, group, description="", members={}, author=Author("a", "")
            )
        self.stack = Stack(self.endpoint)
        self.file: dict[str, Any] = {}
        self.more: dict[str, Any] = {"model": "m1", "logical": "Release"}
        assert self.stack.deploy(declared({}, **self.more))
        self.endpoint.tick_until(Phase.PROMOTED)
        self.live = dict(USUAL)
        self.undo: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.files: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.champion: str | None = "1"
        self.before: str | None = None

    def _failing(self) -> bool:
        return bool(self.undo)

    @precondition(lambda self: len(self.undo) < MOST_RECORDS - 1)
    @rule(
        file=FILES,
        model=st.sampled_from(["m1", "m2", "m3"]),
        at_once=st.booleans(),
        logical=st.sampled_from(["Release", "Release", "Other"]),
        repeats=st.integers(1, 2),
    )
    def deploy(
        self, file: dict[str, Any], model: str, at_once: bool, logical: str, repeats: int
    ) -> None:
        """A deploy, up to where another resource of the stack may fail.

        While a deploy that failed without a rollback stands, the logical id stays, and no
        declaration of the series comes again: which of the two CloudFormation returns to is not
        known, and it is taken to be the newer one.
        """
        series = [(file, more["model"]) for file, more in self.files]
        if (file, model) in series:
            return
        if self.undo:
            logical = self.more["logical"]
        more = {"model": model, "logical": logical}
        wanted = declared(file, plan=ALL_AT_ONCE if at_once else PLAN, **more)
        before = {**self.live}
        changes = {n: file.get(n, USUAL[n]) for n in USUAL if file.get(n) != self.file.get(n)}
        owner = self.live["group"]
        refused = "group" in changes and owner not in (self.file.get("group"), changes["group"])
        if not self.undo:
            self.champion = self.endpoint.champion
            self.before = self.endpoint.rollout and self.endpoint.rollout.id
        self.stack.repeats = repeats
        succeeded = self.stack.update(wanted)
        same = declared(self.file, **self.more).properties(self.endpoint)
        if not succeeded:
            assert refused, self.stack.error
            self.stack.go_back()
            self._take_back()
            return
        assert not refused or wanted.properties(self.endpoint) == same
        self.live.update(changes)
        self.undo.append((before, {n: changes[n] for n in changes if before[n] != changes[n]}))
        self.files.append((self.file, self.more))
        self.file, self.more = file, more

    @precondition(_failing)
    @rule()
    def succeed(self) -> None:
        """The deploy, and with it those before that failed without a rollback, has succeeded."""
        self.stack.finish()
        self.undo, self.files = [], []

    @precondition(_failing)
    @rule(silent=st.booleans())
    def fail(self, silent: bool) -> None:
        """Another resource fails, and CloudFormation returns.

        What a Delete means can't be told without the status; it fails then, and changes nothing.
        """
        silent = silent and self.more["logical"] == self.files[0][1]["logical"]
        self.endpoint.world.stacks.silent = silent
        self.stack.go_back()
        self.endpoint.world.stacks.silent = False
        self._take_back()

    def _take_back(self) -> None:
        for before, changes in reversed(self.undo):
            for name in changes:
                self.live[name] = before[name]
        if self.files:
            self.file, self.more = self.files[0]
        self.undo, self.files = [], []
        # What rolled out before goes on, if it was not ended; it may be promoted meanwhile.
        active, newest = self.endpoint.state.active, self.endpoint.rollout
        assert active is None or active.id == self.before
        if newest is None or newest.id != self.before:
            assert self.endpoint.champion == self.champion

    @rule(setting=SETTINGS)
    def set_by_people(self, setting: tuple[str, Any]) -> None:
        """Somebody sets a field, to whichever value."""
        name, value = setting
        who: dict[str, Any] = {"author": Author("ben", "why not")}
        ports = self.endpoint.ports
        if name in SERVING:
            policy.set_serving(ports, NAME, {name: value}, **who)
        elif name == "group":
            set_owner(ports, NAME, owner=value, self_approval=None, **who)
        elif name == "tags.a":
            edit(ports, NAME, {"tags": {"a": value}}, **who)
        else:
            edit(ports, NAME, {name: value}, **who)
        self.live[name] = value
        for _, changes in self.undo:
            changes.pop(name, None)

    @rule()
    def time(self) -> None:
        """The engine's ticks; a rollout at once is promoted by them."""
        for _ in range(6):
            self.endpoint.tick()

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """An event is delivered once more, however old it is."""
        before = self.endpoint.state
        event = data.draw(st.integers(0, len(self.stack.sent) - 1))
        self.stack.again(event)
        assert live_fields(self.endpoint.state) == live_fields(before)
        assert self.endpoint.champion == (before.champion and before.champion.version)

    @precondition(lambda self: not self.undo)
    @rule()
    def delete_and_deploy_anew(self) -> None:
        """The stack is deleted, and made again from the same file."""
        was = live_fields(self.endpoint.state)
        self.stack.delete()
        assert self.endpoint.champion is None
        self.endpoint.world.functions.versions[NAME].clear()
        self.endpoint.world.functions.pointers.clear()
        assert self.stack.deploy(declared(self.file, **self.more)), self.stack.error
        self.endpoint.tick_until(Phase.PROMOTED)
        self.live = {n: self.file.get(n, USUAL[n]) for n in USUAL}
        # Who may call, and whose it is, outlives the stack.
        self.live |= {n: was[n] for n in ("access", "stopped", "group")}
        self.champion = "1"

    @invariant()
    def every_field_is_what_the_rule_gives(self) -> None:
        """The oracle."""
        live = live_fields(self.endpoint.state)
        for name, value in self.live.items():
            assert (live.get(name) or USUAL[name]) == (value or USUAL[name]), name
        scale = self.endpoint.world.scale
        assert scale.reserved.get(NAME) == self.live["concurrency"]
        assert self.endpoint.history


def test_each_field_is_what_the_three_way_rule_gives() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Deploys,
        settings=hypothesis.settings(max_examples=150, stateful_step_count=14, deadline=None),
    )
