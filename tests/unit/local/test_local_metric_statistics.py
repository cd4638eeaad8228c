"""CloudWatch's statistics, against numpy where numpy has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone_local.metric_statistics import Sample, UnknownStatisticError, statistic

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(VALUES, st.sampled_from([0, 10, 50, 90, 99, 99.9, 100]))
def test_percentiles_interpolate_like_numpy(values, share):
    samples = [Sample.of(0, value) for value in values]
    assert statistic(f"p{share}", samples) == pytest.approx(np.percentile(values, share))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=20))
def test_a_value_with_a_count_is_that_many_values(pairs):
    weighted = [Sample.of(0, float(value), count) for value, count in pairs]
    single = [Sample.of(0, float(value)) for value, count in pairs for _ in range(count)]
    names = (
        "SampleCount",
        "Sum",
        "Average",
        "Minimum",
        "Maximum",
        "p50",
        "p90",
        "TC(2:7)",
        "PR(:5)",
    )
    for name in names:
        assert statistic(name, weighted) == pytest.approx(statistic(name, single))


def test_a_range_excludes_its_lower_bound_and_has_its_upper():
    samples = [Sample.of(0, value) for value in (1.0, 2.0, 3.0, 4.0)]
    assert statistic("TC(1:3)", samples) == 2
    assert statistic("TC(2:)", samples) == 2
    assert statistic("PR(:3)", samples) == 75


def test_a_statistic_set_has_no_percentiles():
    published = [Sample(0, 10, 100, 1, 40)]
    assert statistic("Average", published) == 10
    assert statistic("p50", published) is None
    assert statistic("TC(0:5)", published) is None


def test_without_samples_there_is_no_value():
    assert statistic("Sum", []) is None
    assert statistic("p99", [Sample.of(0, 1.0, 0)]) is None


@pytest.mark.parametrize("name", ["p101", "Median", "TM(10%:90%)", "average", ""])
def test_an_unknown_statistic_is_refused_by_name(name):
    with pytest.raises(UnknownStatisticError, match="SampleCount"):
        statistic(name, [])
