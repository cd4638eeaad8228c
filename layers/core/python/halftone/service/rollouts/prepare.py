"""Prepare a challenger: publish it, send its samples and arm its alarms before any traffic.

The model pointer is set, a version published and active, the package's own samples answered by
that very version, and the alarms armed for it. Each call does what can be done now and answers how
long to wait for the rest; every step may run again after a crash.
"""

from dataclasses import replace
from datetime import timedelta

from halftone.domain.audit import Author
from halftone.domain.endpoint.champions import admit
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.projection import Watch, projection
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import RolloutPorts
from halftone.ports.functions import Pointer, VersionStatus
from halftone.ports.guardrails import AlarmState, Guard
from halftone.service.rollouts.reconcile import arm
from halftone.service.unit_of_work import by_engine, commit, commit_rollout

POLL = timedelta(seconds=1)
"""How long to wait for Lambda to finish an update or to activate a version."""


def prepare(
    ports: RolloutPorts, state: EndpointState, rollout: Rollout
) -> EndpointState | timedelta:
    """The state after the next recorded step, or how long to wait before trying again."""
    if rollout.challenger is None:
        return _publish(ports, state, rollout)
    return _admit(ports, state, rollout, rollout.challenger)


def _publish(
    ports: RolloutPorts, state: EndpointState, rollout: Rollout
) -> EndpointState | timedelta:
    pointer = Pointer(rollout.id, rollout.package.digest)
    status = ports.versions.point(state.endpoint, pointer)
    if status is VersionStatus.PENDING:
        return POLL
    if status is VersionStatus.FAILED:
        return _fail(ports, state, rollout, "Lambda could not update the function")
    version = ports.versions.publish(state.endpoint, pointer)
    deployment = Deployment(
        version=version,
        package=rollout.package,
        settings=rollout.settings,
        rollout=rollout.id,
        created_at=ports.clock.now(),
    )
    return commit(
        ports,
        state,
        replace(state, rollout=replace(rollout, challenger=version)),
        action="published",
        author=Author(rollout.actor, f"{rollout.package} published as version {version}"),
        numbers={"memory": ports.versions.memory(state.endpoint, version)},
        deployment=deployment,
    )


def _admit(
    ports: RolloutPorts, state: EndpointState, rollout: Rollout, version: str
) -> EndpointState | timedelta:
    status, why = ports.versions.status(state.endpoint, version)
    if status is VersionStatus.PENDING:
        return POLL
    if status is VersionStatus.FAILED:
        return _fail(ports, state, rollout, f"version {version} did not become active: {why}")
    samples = ports.packages.manifest(rollout.package.digest).samples
    for number, sample in enumerate(samples, start=1):
        answer = ports.versions.invoke(state.endpoint, version, smoke_event(state.endpoint, sample))
        fault = check_answer(sample, answer)
        if fault:
            return _fail(ports, state, rollout, f"sample {number} of {len(samples)}: {fault}")
    # Arming takes the alarms off whatever they watched, and a red state off them. The champion's is
    # no reason to hold up the release that mends it, but it is one to be on record.
    guard = ports.guardrails.read(state.endpoint)
    watch = projection(state).watch or Watch(version, rollout.called_through(rollout.following))
    arm(ports, state.endpoint, watch, f"rollout {rollout.id}")
    armed = ports.clock.now()
    ready = replace(rollout.onward(), armed_at=armed, latency_limits=_limits(ports, state, rollout))
    answered = f"version {version} answered its samples ({len(samples)})"
    reason = f"{answered}, alarms armed for it{_red(guard, rollout)}"
    return commit(
        ports,
        state,
        replace(admit(state, version), rollout=replace(ready, reason=reason)),
        action="admitted",
        author=by_engine(reason),
        numbers={
            "samples": len(samples),
            "target": ready.target,
            "guardrail": {"was": guard.state.value, "armed_for": guard.armed_for},
        },
    )


def _red(guard: Guard, rollout: Rollout) -> str:
    """What there is to tell of a guardrail that was in alarm before it was armed anew."""
    if guard.state is not AlarmState.ALARM:
        return ""
    version = f"version {guard.armed_for}" if guard.armed_for else "no one version"
    whom = f"the champion, {version}" if guard.armed_for == rollout.champion else version
    return f"; the guardrail was in alarm for {whom}: {guard.reason}"


def _limits(ports: RolloutPorts, state: EndpointState, rollout: Rollout) -> tuple[float, ...]:
    """What will count as slow: the champion's own quantiles, and never what nobody would notice."""
    if rollout.champion is None:
        return ()
    latencies = ports.metrics.quantiles(state.endpoint, rollout.champion, until=ports.clock.now())
    floor = rollout.plan.latency_floor.total_seconds() * 1000
    return tuple(sorted({max(limit, floor) for limit in latencies}))


def _fail(
    ports: RolloutPorts, state: EndpointState, rollout: Rollout, reason: str
) -> EndpointState:
    failed = rollout.to(Phase.FAILED, target=0.0)
    return commit_rollout(ports, state, failed, action="failed", author=by_engine(reason))
