"""Any fields of a traffic policy are read and written again, or refused by their names."""

from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput
from halftone.domain.traffic.policy_schema import FIELDS, dump_policy, load_policy
from tests.support.refusals import read_or_refusal

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["header", "to", "match", "share", "redact", "a", "clients"]), inner
        ),
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES))
def test_any_fields_are_read_and_written_again_or_refused(given_fields):
    policy = read_or_refusal(load_policy, given_fields)
    if isinstance(policy, InvalidInput):
        assert policy.field
    else:
        assert load_policy(dump_policy(policy)) == policy
