"""Previewing a plan on an endpoint: at the traffic of its last hour, or at one that is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, HalftoneError, NotFound
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.domain.rollout.preview import Preview, Traffic, about, preview
from halftone.domain.rollout.rollout import KEYS
from halftone.domain.traffic.policy import Mode
from halftone.ports import Ports

SPAN = timedelta(hours=1)
"""How far back traffic is looked at."""

MOST_VERSIONS = 20
"""How many of the newest versions, and of the latest champions, are asked for their traffic."""

_LEAST = timedelta(minutes=10)
"""For less than that, the keys of a stage are mostly those who come all the time."""

_UNKNOWN = (
    "a key draws, and how many new keys come is not known: every request is reckoned as one of a "
    "new key, which is the most that can be; give the keys an hour"
)


@dataclass(frozen=True)
class EndpointPreview:
    """A preview, and ``plan_of``: whose plan it is of ("" if the plan was given)."""

    plan: Plan
    plan_of: str
    preview: Preview


def preview_endpoint(
    ports: Ports,
    endpoint: str,
    *,
    plan: Plan | None = None,
    traffic: Traffic | None = None,
    errors: float | None = None,
    keys: float | None = None,
) -> EndpointPreview:
    """What ``plan`` (None: that of the newest rollout) does at ``traffic`` (None: as it was).

    ``errors`` replaces the part of requests (or keys) that err, ``keys`` the new keys an hour. At
    an endpoint whose key draws, those are what the stage under way has counted of late, if they are
    not given; without any there is a warning.

    Raises:
        InvalidInput: if there can't be so many ``keys`` at that traffic.
        NotFound: if the endpoint does not exist.
        Conflict: if it has no plan, or its last hour had no requests to reckon with.
        Unavailable: if its metrics can't be read.
    """
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    of = ""
    if plan is None:
        if state.rollout is None:
            raise Conflict(f"{endpoint!r} has no rollout whose plan could be shown: name a plan")
        plan, of = state.rollout.plan, f"rollout {state.rollout.id}"
    sticky = state.serving.key is not None and state.serving.mode is Mode.GUARDED
    traffic = traffic or last_hour(ports, state)
    if keys is not None:
        traffic = replace(traffic, keys=keys, source=f"{traffic.source}; new keys as given")
    elif sticky and traffic.keys is None:
        traffic = with_keys(ports, state, traffic)
    if errors is not None:
        basis = f"{traffic.source}; errors taken as {100 * errors:g} %"
        traffic = replace(traffic, errors=errors, source=basis)
    previewed = preview(plan, traffic, lag=ports.metric_lag, key_lag=ports.key_lag)
    unkept = _unkept(state, plan)
    unknown = (_UNKNOWN,) if sticky and traffic.keys is None else ()
    previewed = replace(previewed, warnings=(*unknown, *unkept, *previewed.warnings))
    return EndpointPreview(plan, of, previewed)


def warnings_of(ports: Ports, endpoint: str) -> Sequence[str]:
    """What the newest rollout's plan can't do at the traffic of the last hour.

    None where that can't be known: a release must not fail for the sake of its preview.
    """
    try:
        return preview_endpoint(ports, endpoint).preview.warnings
    except HalftoneError:
        state = ports.store.load(endpoint)
        return _unkept(state, state.rollout.plan) if state and state.rollout else ()


def _unkept(state: EndpointState, plan: Plan) -> Sequence[str]:
    """That a person is to approve after a mirror step, and no pair of answers is kept for them."""
    if state.serving.capture.share:
        return ()
    for number, stage in enumerate(plan.stages, start=1):
        gated = plan.approve_all or any(later.approval for later in plan.stages[number:])
        if stage.mirror and gated:
            warning = (
                f"step {number} scores {stage.mirror:g} % unseen before a person approves, and the "
                "capture keeps 0 %: there are no pairs of answers to look at; set it by `halftone "
                f"capture {state.endpoint} 100`, or capture in endpoint.yaml"
            )
            return (warning,)
    return ()


def last_hour(ports: Ports, state: EndpointState) -> Traffic:
    """The mean traffic of an endpoint's last hour, with its champions' errors and late answers.

    The traffic is what all versions answered together, whoever got it and by which rule. A rate is
    reckoned with as if half an event more had been seen, so that none is zero.

    Raises:
        Conflict: if there was no request, or nothing serves.
        Unavailable: if the metrics can't be read.
    """
    champion = state.champion
    if champion is None:
        raise Conflict(f"nothing serves {state.endpoint!r} yet: give a rate of requests")
    until = bucket_start(ports.clock.now() - ports.metric_lag)
    totals = ports.metrics.totals(
        state.endpoint, _answering(ports, state), since=until - SPAN, until=until
    )
    requests = sum(arm.requests for arm in totals.values())
    if not requests:
        raise Conflict(f"{state.endpoint!r} had no requests in the last hour: give a rate")
    # An earlier champion was good enough to be one; a challenger has yet to show that.
    champions = {champion.version} | {earlier.version for earlier in state.past or ()}
    if state.rollout and state.rollout.phase is Phase.PROMOTED:
        champions |= {state.rollout.champion or champion.version}
    served = sum((arm for version, arm in totals.items() if version in champions), Arm())
    return Traffic(
        rate=requests / SPAN.total_seconds(),
        errors=_rate(served.errors, served.requests),
        late=_rate(served.late, served.timed),
        source=(
            f"the last hour: {requests:,} requests, {served.errors:,} errors of "
            f"{served.requests:,} and {served.late:,} late of {served.timed:,} by champions"
        ),
    )


def _answering(ports: Ports, state: EndpointState) -> Sequence[str]:
    """The versions that may have answered clients in the last hour: those that can be called, have
    been champions, or are the newest.
    """
    newest = sorted((int(d.version) for d in ports.store.deployments(state.endpoint)), reverse=True)
    rollout = state.rollout
    versions = [state.champion.version if state.champion else None]
    versions += [rollout.champion, rollout.challenger] if rollout else []
    versions += [placed.version for placed in state.placed]
    versions += [earlier.version for earlier in (state.past or ())[-MOST_VERSIONS:]]
    versions += [str(number) for number in newest[:MOST_VERSIONS]]
    return tuple(dict.fromkeys(version for version in versions if version))


def with_keys(ports: Ports, state: EndpointState, traffic: Traffic) -> Traffic:
    """``traffic`` with the new keys an hour, and the champion's parts of them, as last counted.

    They are known of a sticky rollout that is under way: a stage counts each of its keys once. It
    is the same traffic where no stage has counted any for ten minutes.

    Raises:
        Unavailable: if the metrics can't be read.
    """
    running = state.active
    if running is None or running.cohorts[0] != KEYS or not running.begun:
        return traffic
    until = bucket_start(ports.clock.now() - ports.metric_lag - ports.key_lag)
    since = max(running.begun[-1].start + BUCKET, until - SPAN)
    if until - since < _LEAST or running.challenger is None or running.champion is None:
        return traffic
    buckets: Sequence[Bucket] = ports.metrics.buckets(
        state.endpoint,
        challenger=running.challenger,
        champion=running.champion,
        since=since,
        until=until,
        cohorts=running.cohorts,
    )
    champion = reduce(Arm.__add__, (bucket.champion for bucket in buckets), Arm())
    drawn = champion.requests + sum(bucket.challenger.requests for bucket in buckets)
    if not drawn:
        return traffic
    # Only keys from the share before on are counted: those below it are not drawn afresh.
    every = drawn / (1 - running.since / 100)
    keys = min(every * (SPAN / (until - since)), traffic.rate * SPAN.total_seconds())
    basis = f"{drawn:,} keys in {about(until - since)} of the stage under way"
    return replace(
        traffic,
        keys=keys,
        errors=_rate(champion.errors, champion.requests),
        late=_rate(champion.late, champion.timed),
        source=f"{traffic.source}; {basis}",
    )


def _rate(events: int, count: int) -> float:
    return (events + 0.5) / (count + 1)
