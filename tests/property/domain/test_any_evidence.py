"""Whatever the platform counts is evidence, or set aside because it is impossible."""

from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, Evidence
from halftone.domain.traffic.policy import Mode
from tests.support.rollouts import START, rollout

COUNTS = st.integers(-2, 6)
ANY_ARM = st.builds(Arm, *[COUNTS] * 6, st.lists(COUNTS, max_size=3).map(tuple), *[COUNTS] * 2)


@given(
    st.lists(st.tuples(ANY_ARM, ANY_ARM), max_size=6),
    st.lists(st.tuples(ANY_ARM, ANY_ARM), max_size=6),
    st.sampled_from([{}, {"mode": Mode.GUARDED}, {"mode": Mode.GUARDED, "sticky": True}]),
)
def test_any_counts_are_folded_and_impossible_ones_set_aside(first, second, changes):
    of = rollout(latency_limits=(1.0, 2.0, 3.0), **changes)
    keyed = of.cohorts[0] == "keys"
    one = [Bucket(START + i * BUCKET, *pair) for i, pair in enumerate(first)]
    two = [Bucket(START + i * BUCKET, *pair) for i, pair in enumerate(second)]
    middle = START + len(one) * BUCKET
    end = max(middle, START + len(two) * BUCKET)
    evidence = Evidence.begin(of, START).fold(one, middle, of)
    evidence = evidence.fold(two, end, of, again=evidence.again)
    judge(evidence, of.plan, of.plan.stages[0])
    new = [b for b in two if b.start >= middle]
    sound = [b for b in (*one, *new) if not b.impossible(keyed=keyed)]
    assert evidence.set_aside == len(one) + len(new) - len(sound)
    only = Evidence.begin(of, START).fold(sound, end, of)
    assert (evidence.metrics, evidence.splits, evidence.in_stage) == (
        only.metrics,
        only.splits,
        only.in_stage,
    )
