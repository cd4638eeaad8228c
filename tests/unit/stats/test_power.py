"""The approximations of power against the test itself, run on simulated traffic."""

import pytest

from halftone.stats import Capital, Rates, Stratum, Tally, detectable, power, requests_needed


def test_a_catastrophe_takes_a_handful_of_requests():
    assert requests_needed(Capital.on_regression(), Rates(0.5, 0.01, 0.1)) < 20


def test_evidence_in_hand_shortens_the_way():
    rates = Rates(0.03, 0.01, 0.1)
    fresh = Capital.on_regression()
    later = fresh.fold([Stratum(Tally(10, 1), Tally(90, 1))] * 4)
    assert requests_needed(later, rates) < requests_needed(fresh, rates)
    proven = fresh.fold([Stratum(Tally(10, 3), Tally(90, 1))] * 4)
    assert requests_needed(proven, rates) == 0
    assert power(proven, rates, 0) == 1


def test_what_the_hypothesis_allows_is_out_of_sight():
    assert requests_needed(Capital.on_regression(), Rates(0.01, 0.01, 0.1)) is None
    assert requests_needed(Capital.on_safety(), Rates(0.05, 0.01, 0.1)) is None


def test_power_grows_with_requests_and_is_nothing_without():
    rates = Rates(0.03, 0.01, 0.1)
    chances = [power(Capital.on_regression(), rates, n) for n in (0, 100, 400, 1600, 6400)]
    assert chances[0] == 0
    assert chances == sorted(chances)
    assert chances[-1] > 0.99


def test_too_few_requests_detect_nothing():
    assert detectable(1, share=0.5, base_rate=0.3) is None


@pytest.mark.parametrize("field", ["challenger", "champion", "share"])
def test_rates_lie_between_0_and_1(field):
    with pytest.raises(ValueError, match=field):
        Rates(**{"challenger": 0.1, "champion": 0.1, "share": 0.1, field: 1.0})
