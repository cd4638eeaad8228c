"""The settings that differ between two states of an endpoint, for the audit record. Pure.

The record of every change holds it, whichever use case made the change, so that none can leave it
out. What a rollout changes (shares, phases) stands in the record's own summary.
"""

from halftone.domain.endpoint.capacity import dump_capacity
from halftone.domain.endpoint.policy_rules import dump_state_policy
from halftone.domain.endpoint.state import EndpointState

Settings = dict[str, object]
"""Values by field, as JSON holds them."""


def differences(before: EndpointState, after: EndpointState) -> tuple[Settings, Settings]:
    """The fields that differ, with their values before and after; both empty where none does.

    Clients are listed by name with the ids of their tokens, never with a digest.
    """
    was, now = _settings(before), _settings(after)
    if after.champion != before.champion and after.serving == before.serving:
        # The champion's share bears its name: another champion is no other setting.
        was.pop("traffic"), now.pop("traffic")
    changed = [name for name in now if was[name] != now[name]]
    return {name: was[name] for name in changed}, {name: now[name] for name in changed}


def _settings(state: EndpointState) -> Settings:
    clients: dict[str, list[str]] = {}
    for client in state.serving.clients:
        clients.setdefault(client.name, []).append(client.token_id)
    return {
        **dump_state_policy(state),
        **dump_capacity(state.upkeep),
        "replicas": dict(state.upkeep.replicas),
        "owner": state.about.owner,
        "self_approval": state.about.self_approval,
        "clients": clients,
        "names": {p.version: p.name for p in state.placed if p.name != p.version},
        "deployments_stopped": {p.version: p.stopped for p in state.placed if p.stopped},
    }
