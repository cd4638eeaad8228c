"""Update the evidence of a rollout, store it, and analyze it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import zip_longest

from halftone.domain.errors import Unavailable
from halftone.domain.names import feedback_cohort
from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.evidence import Bucket, Evidence, bucket_start
from halftone.domain.rollout.looks import Look
from halftone.domain.rollout.rollout import KEYS, Rollout
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.ports import EvidencePorts


def analyze(ports: EvidencePorts, endpoint: str, rollout: Rollout) -> Verdict:
    """The verdict on everything up to the newest closed bucket.

    Metrics that can't be read are a verdict of their own, which moves nothing: alarms keep watch.

    Raises:
        ConcurrentWrite: if another look at the same rollout was kept in the meantime.
    """
    stage = rollout.current
    if stage is None or rollout.exposed_at is None or rollout.challenger is None:
        return Verdict(VerdictKind.NO_DATA, "the challenger has had no traffic")
    if rollout.champion is None:
        return Verdict(VerdictKind.NO_DATA, "there is no champion to compare with")
    stored = ports.evidence.load_evidence(endpoint, rollout.id)
    earlier = stored or Evidence.begin(rollout, bucket_start(rollout.exposed_at))
    until = bucket_start(ports.clock.now() - lag_of(ports, rollout))
    if until <= earlier.until and earlier.stage == rollout.stage:
        return judge(earlier, rollout.plan, stage, rollout.units)
    try:
        buckets = _counted(ports, endpoint, rollout, earlier.again, until)
    except Unavailable as error:
        return Verdict(VerdictKind.ERROR, str(error))
    evidence = earlier.fold(buckets, until, rollout, again=earlier.again)
    new = [bucket for bucket in buckets if bucket.start >= earlier.until]
    verdict = judge(evidence, rollout.plan, stage, rollout.units)
    look = Look.of(rollout, verdict, at=ports.clock.now(), until=evidence.until)
    ports.evidence.keep_evidence(
        endpoint, evidence, new, previous=stored.until if stored else None, look=look
    )
    # The alarm on this metric is a second way back, for when no tick comes to act on the verdict.
    # A look that can't publish is still a look.
    with suppress(Unavailable):
        ports.metrics.publish(endpoint, rollout.challenger, verdict.proof, ports.clock.now())
    return verdict


def look_ahead(ports: EvidencePorts, endpoint: str, rollout: Rollout) -> Verdict:
    """What the verdict would be with the buckets that are not complete yet. Nothing is kept of it.

    What has come in of the last minute is no evidence, for what is missing may be of one kind. It
    is reason enough to ask again before a challenger gets more.
    """
    stage = rollout.current
    stored = ports.evidence.load_evidence(endpoint, rollout.id)
    if stage is None or stored is None:
        return Verdict(VerdictKind.NO_DATA, "the challenger has had no traffic")
    until = bucket_start(ports.clock.now())
    try:
        buckets = _counted(ports, endpoint, rollout, stored.until, until)
    except Unavailable as error:
        return Verdict(VerdictKind.ERROR, str(error))
    keyed = rollout.cohorts[0] == KEYS
    sound = [bucket for bucket in buckets if not bucket.impossible(keyed=keyed)]
    return judge(stored.fold(sound, until, rollout), rollout.plan, stage, rollout.units)


def lag_of(ports: EvidencePorts, rollout: Rollout) -> timedelta:
    """How long after its end a bucket of the present stage is taken to be complete."""
    keyed = rollout.cohorts[0] == KEYS
    return ports.metric_lag + (ports.key_lag if keyed else timedelta(0))


def _counted(
    ports: EvidencePorts, endpoint: str, rollout: Rollout, since: datetime, until: datetime
) -> Sequence[Bucket]:
    """The buckets from ``since`` to ``until``, each of the cohorts that its own stage compares.

    What was scored unseen, for some requests perhaps, stands under the challenger's version too:
    beside all of the champion's requests it would be compared with those of other people.
    """
    challenger, champion = rollout.challenger, rollout.champion
    if challenger is None or champion is None:
        return ()
    buckets: list[Bucket] = []
    borders = rollout.begun
    for border, following in zip_longest(borders, borders[1:]):
        first = max(since, rollout.counted_since(border))
        last = min(until, following.start) if following else until
        if first >= last:
            continue
        cohorts = rollout.cohorts_in(border)
        buckets += ports.metrics.buckets(
            endpoint,
            challenger=challenger,
            champion=champion,
            since=first,
            until=last,
            # A key has no latency: it has many, and one that counts as late says as much.
            limits=() if cohorts[0] == KEYS else rollout.latency_limits,
            cohorts=cohorts,
            feedback=feedback_cohort(border.stage),
        )
    return buckets
