"""Averages of e-values."""

import math

import pytest

from halftone.stats import combine


def test_a_combination_is_the_weighted_average_of_the_e_values():
    logs = [math.log(30), math.log(2), math.log(0.5)]
    assert combine(logs, [2, 1, 1]) == pytest.approx(math.log((60 + 2 + 0.5) / 4))
    assert combine(logs) == pytest.approx(math.log(32.5 / 3))


def test_huge_and_vanished_e_values_combine_without_overflow():
    assert combine([5000.0, -5000.0]) == pytest.approx(5000 - math.log(2))
    assert combine([-math.inf, 0.0]) == pytest.approx(-math.log(2))
    assert combine([-math.inf, -math.inf]) == -math.inf


def test_a_weight_of_zero_leaves_a_metric_out():
    assert combine([900.0, 1.5], [0, 3]) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("logs", "weights"),
    [([], None), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [0, 0]), ([1.0, 2.0], [-1, 2])],
)
def test_weights_that_make_no_average_are_refused(logs, weights):
    with pytest.raises(ValueError, match="weights"):
        combine(logs, weights)
