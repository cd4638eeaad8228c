"""``validation_status: FAILED`` at endpoints: what is said in the registry ends what serves by it.

A version of the registry that failed gets no traffic by any setting, and a rollout of it ends. A
champion is not taken back by it: nobody but a person knows whether what served before is better. It
is shown instead, in the status and on record.
"""

from contextlib import suppress
from dataclasses import replace

from halftone.domain.endpoint.champions import bar
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.policy_rules import receivers
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, Unavailable
from halftone.domain.model.manifest import PackageRef
from halftone.domain.model.registry import Validation
from halftone.domain.traffic.policy import TrafficPolicy
from halftone.ports import RolloutPorts
from halftone.service.rollouts.past_champions import exists
from halftone.service.unit_of_work import by_engine, commit

FLAGGED, CLEARED = "flagged", "cleared"
"""The audit's words for a champion whose validation failed, and for one of which it is not so."""


def failed(ports: RolloutPorts, package: PackageRef) -> str:
    """Why ``package`` must get no traffic ("": nothing is said against it, or can be read)."""
    with suppress(Unavailable):
        number = ports.registry.number_of(package.name, package.digest)
        version = ports.registry.version(package.name, number) if number else None
        if version is not None and version.details.validation is Validation.FAILED:
            return f"{version.name} has validation_status FAILED"
    return ""


def must_have_passed(ports: RolloutPorts, state: EndpointState, serving: TrafficPolicy) -> None:
    """Refuse requests for versions whose validation failed, where there were none before.

    Raises:
        Conflict: naming the version of the registry.
    """
    new = [version for version in _named(state, serving) if version not in _named(state)]
    for deployment in _deployments(ports, state, new):
        reason = failed(ports, deployment.package)
        if reason:
            raise Conflict(f"version {deployment.version} can't get requests: {reason}")


def withdraw_failed(ports: RolloutPorts, state: EndpointState) -> EndpointState:
    """Bar every version beside the champion that failed or is gone; flag a champion that failed.

    One record for each. Answers the state afterwards.

    Raises:
        ConcurrentWrite: if somebody else wrote the record first.
    """
    for deployment in _deployments(ports, state, _named(state)):
        reason = failed(ports, deployment.package)
        if not reason and not exists(ports, state.endpoint, deployment.version):
            reason = f"version {deployment.version} is gone from Lambda"
        if reason:
            numbers = {"version": deployment.version}
            after = bar(state, deployment.version, reason)
            state = commit(
                ports,
                state,
                after,
                action="withdrawn",
                author=by_engine(reason),
                numbers=numbers,
            )
    champion = state.champion
    flag = failed(ports, champion.package) if champion else ""
    if flag == state.flagged or champion is None:
        return state
    reason = flag or f"nothing is said against {champion.package} any more"
    return commit(
        ports,
        state,
        replace(state, flagged=flag),
        action=FLAGGED if flag else CLEARED,
        author=by_engine(reason),
    )


def _named(state: EndpointState, serving: TrafficPolicy | None = None) -> tuple[str, ...]:
    """The versions beside the champion that requests are sent to, seen or unseen."""
    settings = state.serving if serving is None else serving
    mirrored = [settings.mirror.version] if settings.mirror else []
    champion = state.champion.version if state.champion else None
    named = (*receivers(state, settings), *mirrored)
    return tuple(version for version in dict.fromkeys(named) if version != champion)


def _deployments(
    ports: RolloutPorts, state: EndpointState, versions: list[str] | tuple[str, ...]
) -> list[Deployment]:
    if not versions:
        return []
    return [d for d in ports.store.deployments(state.endpoint) if d.version in versions]
