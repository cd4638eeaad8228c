"""Looking: bring the evidence of a rollout up to date, keep it, and judge it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from halftone.domain.errors import Unavailable
from halftone.domain.evidence import Bucket, Evidence, bucket_start
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
        buckets = _counted(parts, endpoint, rollout, known.until, until)
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


def _counted(
    parts: Parts, endpoint: str, rollout: Rollout, since: datetime, until: datetime
) -> Sequence[Bucket]:
    """The buckets from ``since`` to ``until``, each of the cohorts that its stage compares.

    What was scored unseen, for some requests perhaps, stands under the challenger's version too:
    beside all of the champion's requests it would be compared with those of other people.
    """
    challenger, champion = rollout.challenger, rollout.champion
    if challenger is None or champion is None:
        return ()

    def asked(cohorts: tuple[str, str], since: datetime, until: datetime) -> Sequence[Bucket]:
        if since >= until:
            return ()
        return parts.metrics.buckets(
            endpoint,
            challenger=challenger,
            champion=champion,
            since=since,
            until=until,
            # A key has no latency: it has many, and one that counts as late says as much.
            limits=() if cohorts[0] == KEYS else rollout.latency_limits,
            cohorts=cohorts,
        )

    before, now = rollout.cohorts_before, rollout.cohorts
    border = bucket_start(rollout.stage_since) if rollout.stage_since else since
    if before == now or border <= since:
        return asked(now, since, until)
    return (*asked(before, since, min(border, until)), *asked(now, border, until))
