"""Previewing a plan on an endpoint: at the traffic of its last hour, or at one that is given."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, Refused
from halftone.domain.evidence import Arm, bucket_start
from halftone.domain.phase import Phase
from halftone.domain.plan import Plan
from halftone.domain.preview import Preview, Traffic, preview
from halftone.service.ports import Parts

SPAN = timedelta(hours=1)
"""How far back traffic is looked at."""


@dataclass(frozen=True)
class EndpointPreview:
    """A preview, and ``plan_of``: whose plan it is of ("" if the plan was given)."""

    plan: Plan
    plan_of: str
    preview: Preview


def preview_endpoint(
    parts: Parts,
    endpoint: str,
    *,
    plan: Plan | None = None,
    traffic: Traffic | None = None,
    errors: float | None = None,
) -> EndpointPreview:
    """What ``plan`` (None: that of the newest rollout) does at ``traffic`` (None: as it was).

    ``errors`` replaces the part of requests that err.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if it has no plan, or its last hour had no requests to reckon with.
        Unavailable: if its metrics can't be read.
    """
    state = parts.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    of = ""
    if plan is None:
        if state.rollout is None:
            raise Refused(f"{endpoint!r} has no rollout whose plan could be shown: name a plan")
        plan, of = state.rollout.plan, f"rollout {state.rollout.id}"
    traffic = traffic or last_hour(parts, state)
    if errors is not None:
        told = f"{traffic.source}; errors taken as {100 * errors:g} %"
        traffic = replace(traffic, errors=errors, source=told)
    return EndpointPreview(plan, of, preview(plan, traffic, lag=parts.metric_lag))


def last_hour(parts: Parts, state: EndpointState) -> Traffic:
    """The mean traffic of an endpoint's last hour, with the champion's errors and late answers.

    A rate is reckoned with as if half an event more had been seen, so that none is zero.

    Raises:
        Refused: if there was no request, or nothing serves.
        Unavailable: if the metrics can't be read.
    """
    champion, newest = state.champion, state.rollout
    if champion is None:
        raise Refused(f"nothing serves {state.endpoint!r} yet: give a rate of requests")
    pair = {newest.champion, newest.challenger} if newest else set()
    other = next((version for version in pair - {champion.version} if version), None)
    until = bucket_start(parts.clock.now() - parts.metric_lag)
    buckets = parts.metrics.buckets(
        state.endpoint,
        challenger=other or champion.version,
        champion=champion.version,
        since=until - SPAN,
        until=until,
    )
    served = reduce(Arm.__add__, (bucket.champion for bucket in buckets), Arm())
    beside = reduce(Arm.__add__, (bucket.challenger for bucket in buckets), Arm())
    if other is None:
        beside = Arm()  # both sides of a bucket were asked for the same version
    requests = served.requests + beside.requests
    if not requests:
        raise Refused(f"{state.endpoint!r} had no requests in the last hour: give a rate")
    # The version before the champion was good enough to be one; a challenger has yet to show that.
    if newest and newest.phase is Phase.PROMOTED:
        served += beside
    return Traffic(
        rate=requests / SPAN.total_seconds(),
        errors=_rate(served.errors, served.requests),
        late=_rate(served.late, served.timed),
        source=(
            f"the last hour: {requests:,} requests, {served.errors:,} errors of "
            f"{served.requests:,} and {served.late:,} late of {served.timed:,} by champions"
        ),
    )


def _rate(events: int, count: int) -> float:
    return (events + 0.5) / (count + 1)
