"""What a person changes about an endpoint's serving while it serves: no deploy, one record each.

Values come as people write them (``domain.traffic.policy_schema``). Each change is one conditional
write with the person and a reason, and reaches the model servers within seconds. Said again it
changes nothing. ``revision`` is that of the state its author has seen (None: whatever it is by
now).

All of them raise:
    InvalidInput: naming the field, its value and what was expected.
    NotFound: if the endpoint, or a deployment that is named, does not exist.
    Conflict: if the present state forbids it.
    PreconditionFailed: if the state is not at ``revision`` any more.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.endpoint.policy_rules import changed, dump_state_policy
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound
from halftone.domain.traffic.policy import TrafficPolicy
from halftone.domain.traffic.policy_schema import dump_policy, load_policy
from halftone.ports import RolloutPorts
from halftone.service.rollouts.probation import settled, watched
from halftone.service.unit_of_work import commit, must_be_at, retry_on_conflict


def set_serving(
    ports: RolloutPorts,
    endpoint: str,
    fields: Mapping[str, object],
    *,
    author: Author,
    action: str = "set",
) -> EndpointState:
    """Change the fields that are given, all at once, and leave the others."""
    policy = load_policy(fields)

    def next_one(state: EndpointState) -> TrafficPolicy:
        return watched(ports, state, changed(state, policy), why=f"{action} by {author.actor}")

    return apply(
        ports,
        endpoint,
        next_one,
        action=action,
        author=author,
        told=lambda before, after: _differences(before, after, policy),
        fields=(*policy, *(("stopped",) if "traffic" in policy else ())),
    )


def set_traffic(
    ports: RolloutPorts,
    endpoint: str,
    traffic: Mapping[str, object],
    *,
    author: Author,
) -> EndpointState:
    """Split requests among deployments: shares sum to 100, or to 0 to answer none."""
    fields = {"traffic": traffic}
    return set_serving(ports, endpoint, fields, author=author, action="set-traffic")


def set_mirror(
    ports: RolloutPorts,
    endpoint: str,
    mirror: Mapping[str, object] | str | None,
    *,
    author: Author,
) -> EndpointState:
    """Send a share of requests to a deployment that no client hears of, too; None for no more."""
    fields = {"mirror": mirror}
    return set_serving(ports, endpoint, fields, author=author, action="set-mirror")


def set_rules(
    ports: RolloutPorts,
    endpoint: str,
    rules: object,
    *,
    author: Author,
) -> EndpointState:
    """Say which requests go to which deployment, whatever the shares."""
    fields = {"rules": rules}
    return set_serving(ports, endpoint, fields, author=author, action="set-rules")


def set_key(
    ports: RolloutPorts,
    endpoint: str,
    key: object,
    *,
    author: Author,
) -> EndpointState:
    """Say by what requests are told apart, so that the same one always meets the same version."""
    fields = {"key": key}
    return set_serving(ports, endpoint, fields, author=author, action="set-key")


def set_mode(
    ports: RolloutPorts,
    endpoint: str,
    mode: object,
    *,
    author: Author,
) -> EndpointState:
    """Weighted or guarded, from the next rollout on; refused while one is under way."""
    fields = {"mode": mode}
    return set_serving(ports, endpoint, fields, author=author, action="set-mode")


def set_access(
    ports: RolloutPorts,
    endpoint: str,
    access: object,
    *,
    author: Author,
) -> EndpointState:
    """Public, or private to clients with a token."""
    fields = {"access": access}
    return set_serving(ports, endpoint, fields, author=author, action="set-access")


def set_capture(
    ports: RolloutPorts,
    endpoint: str,
    capture: object,
    *,
    author: Author,
) -> EndpointState:
    """Keep a share of requests and answers, without the fields that are named."""
    fields = {"capture": capture}
    return set_serving(ports, endpoint, fields, author=author, action="set-capture")


def apply(
    ports: RolloutPorts,
    endpoint: str,
    next_one: Callable[[EndpointState], TrafficPolicy],
    *,
    action: str,
    author: Author,
    told: Callable[[EndpointState, EndpointState], Mapping[str, object]] | None = None,
    fields: Iterable[str] = (),
) -> EndpointState:
    """Record what ``next_one`` makes of the endpoint's serving; the same serving is no change.

    ``told`` answers the numbers for the record. ``fields`` are those that somebody has set by this,
    to whichever value: a deploy that fails later leaves them alone.
    """

    @retry_on_conflict
    def record() -> tuple[TrafficPolicy, EndpointState]:
        state = ports.store.load(endpoint)
        if state is None:
            raise NotFound("endpoint", endpoint, "see `halftone status`")
        must_be_at(f"endpoint {endpoint!r}", state.revision, author.revision)
        deploys = state.deploys.set_by_people(fields)
        after = replace(state, serving=next_one(state), deploys=deploys)
        if after == state:
            return state.serving, state
        numbers = told(state, after) if told else {"stopped": after.serving.stopped}
        written = commit(ports, state, after, action=action, author=author, numbers=numbers)
        return state.serving, written

    return settled(ports, *record())


def _differences(
    before: EndpointState, after: EndpointState, fields: Mapping[str, Any]
) -> dict[str, object]:
    """What the fields that were asked for said before, and say now."""
    was, now = dump_state_policy(before), dump_state_policy(after)
    return {
        name: {"was": was[name], "is": now[name]} for name in dump_policy(fields) if name in now
    }
