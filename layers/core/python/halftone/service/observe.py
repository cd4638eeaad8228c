"""Looking: bring the evidence of a rollout up to date, keep it, and judge it."""

from contextlib import suppress
from datetime import timedelta

from halftone.domain.errors import Unavailable
from halftone.domain.evidence import Evidence, bucket_start
from halftone.domain.judge import judge
from halftone.domain.rollout import KEYS, Rollout
from halftone.domain.verdict import Verdict, VerdictKind
from halftone.service.ports import Parts


def look(parts: Parts, endpoint: str, rollout: Rollout) -> Verdict:
    """The verdict on everything up to the newest closed bucket.

    Metrics that can't be read are a verdict of their own, which moves nothing: alarms keep watch.

    Raises:
        StaleWrite: if another look at the same rollout was kept in the meantime.
    """
    stage = rollout.current
    if stage is None or rollout.exposed_at is None or rollout.challenger is None:
        return Verdict(VerdictKind.NO_DATA, "the challenger has had no traffic")
    if rollout.champion is None:
        return Verdict(VerdictKind.NO_DATA, "there is no champion to compare with")
    kept = parts.evidence.load_evidence(endpoint, rollout.id)
    known = kept or Evidence.begin(rollout, bucket_start(rollout.exposed_at))
    keyed = rollout.cohorts[0] == KEYS
    lag = parts.metric_lag + (parts.key_lag if keyed else timedelta(0))
    until = bucket_start(parts.clock.now() - lag)
    if until <= known.until and known.stage == rollout.stage:
        return judge(known, rollout.plan, stage, rollout.units)
    try:
        buckets = parts.metrics.buckets(
            endpoint,
            challenger=rollout.challenger,
            champion=rollout.champion,
            since=known.until,
            until=until,
            # A key has no latency: it has many, and one that counts as late says as much.
            limits=() if keyed else rollout.latency_limits,
            cohorts=rollout.cohorts,
        )
    except Unavailable as error:
        return Verdict(VerdictKind.ERROR, str(error))
    evidence = known.fold(buckets, until, rollout)
    parts.evidence.keep_evidence(endpoint, evidence, buckets, previous=kept.until if kept else None)
    verdict = judge(evidence, rollout.plan, stage, rollout.units)
    # The alarm on this metric is a second way back, for when no tick comes to act on the verdict.
    # A look that can't publish is still a look.
    with suppress(Unavailable):
        parts.metrics.publish(endpoint, rollout.challenger, verdict.proof, parts.clock.now())
    return verdict
