"""Alarm evaluation without a clock: AWS' documented examples, and the moments of evaluation.

The tables stand in "Configuring how CloudWatch alarms treat missing data": five periods of data,
three evaluation periods, X breaching, 0 not, - missing.
"""

import json

import pytest

from halftone_local.alarm_rules import (
    ALARM,
    INSUFFICIENT_DATA,
    OK,
    Datapoint,
    Rule,
    evaluate,
    period_starts,
)

NOW = 1_000_000_000.0  # a full ten seconds, not a full minute
KEEP = None


def rule(to_alarm=3, missing="missing", period=10, periods=3):
    return Rule(
        statistic="Sum",
        period=period,
        periods=periods,
        to_alarm=to_alarm,
        threshold=5.0,
        comparison="GreaterThanThreshold",
        missing=missing,
    )


def state(pattern, alarm, now=NOW):
    values = {"X": 9.0, "0": 1.0}
    starts = period_starts(alarm, now)
    points = {
        start: Datapoint(start, values[mark], 2.0)
        for start, mark in zip(starts, pattern.split(), strict=True)
        if mark in values
    }
    finding = evaluate(alarm, points, now)
    return finding.state if finding else KEEP


# The columns are the four treatments, in the order of TREATMENTS below.
THREE_OF_THREE = {
    "0 - X - X": (OK, OK, OK, OK),
    "- - - - 0": (OK, OK, OK, OK),
    "- - - - -": (INSUFFICIENT_DATA, KEEP, ALARM, OK),
    "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
    "- - X - -": (ALARM, KEEP, ALARM, OK),
}
TWO_OF_THREE = {
    "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
    "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (OK, OK, ALARM, OK),
    "- - - - 0": (OK, OK, ALARM, OK),
    "- - - X -": (ALARM, KEEP, ALARM, OK),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
CASES = [
    (to_alarm, pattern, treatment, expected)
    for to_alarm, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for pattern, row in table.items()
    for treatment, expected in zip(TREATMENTS, row, strict=True)
]


@pytest.mark.parametrize(("to_alarm", "pattern", "missing", "expected"), CASES)
def test_the_documented_tables_of_missing_data(to_alarm, pattern, missing, expected):
    assert state(pattern, rule(to_alarm, missing)) == expected


@pytest.mark.parametrize("pattern", ["- - - - X", "- - - X -"])
def test_one_bad_datapoint_raises_no_three_of_three_alarm(pattern):
    assert state(pattern, rule(3)) is KEEP


def test_one_of_three_needs_one():
    assert state("- - - - X", rule(1)) == ALARM
    assert state("0 0 X 0 0", rule(1)) == ALARM
    assert state("X X 0 0 0", rule(1)) == OK


def test_only_periods_that_are_over_count():
    assert period_starts(rule(), NOW + 9.9) == [NOW - 50, NOW - 40, NOW - 30, NOW - 20, NOW - 10]


def test_longer_periods_are_looked_at_each_minute_and_end_there():
    minute = NOW // 60 * 60
    starts = period_starts(rule(period=300, periods=1), minute + 61)
    assert starts[-1] == minute + 60 - 300
    assert period_starts(rule(period=300, periods=1), minute + 121)[-1] == starts[-1] + 60


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", {6.0}),
        ("GreaterThanOrEqualToThreshold", {5.0, 6.0}),
        ("LessThanThreshold", {4.0}),
        ("LessThanOrEqualToThreshold", {4.0, 5.0}),
    ],
)
def test_comparisons(comparison, breaching):
    alarm = Rule("Sum", 10, 1, 1, 5.0, comparison)
    assert {value for value in (4.0, 5.0, 6.0) if alarm.breached_by(value)} == breaching


def test_an_unknown_comparison_is_refused_by_name():
    with pytest.raises(ValueError, match="GreaterThanUpperThreshold"):
        Rule("Sum", 10, 1, 1, 5.0, "GreaterThanUpperThreshold")


def test_the_reason_shows_the_arithmetic():
    alarm = rule(2, "notBreaching")
    newest = period_starts(alarm, NOW)[-1]
    fields = {
        newest: Datapoint(newest, 9.0, 4.0),
        newest - 10: Datapoint(newest - 10, 7.0, 3.0),
    }
    finding = evaluate(alarm, fields, NOW)
    assert finding.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (09/09/01 01:46:30), "
        "7.0 (09/09/01 01:46:20)] were greater than the threshold (5.0) and 1 missing datapoint "
        "was treated as [NonBreaching] (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert json.loads(finding.reason_data) == {
        "version": "1.0",
        "queryDate": "2001-09-09T01:46:40.000+0000",
        "startDate": "2001-09-09T01:46:20.000+0000",
        "statistic": "Sum",
        "period": 10,
        "recentDatapoints": [7.0, 9.0],
        "threshold": 5.0,
        "evaluatedDatapoints": [
            {"timestamp": "2001-09-09T01:46:30.000+0000", "sampleCount": 4.0, "value": 9.0},
            {"timestamp": "2001-09-09T01:46:20.000+0000", "sampleCount": 3.0, "value": 7.0},
        ],
    }


def test_the_reason_without_data_says_how_it_was_taken():
    finding = evaluate(rule(3, "breaching"), {}, NOW)
    assert finding.reason == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints "
        "were treated as [Breaching] (minimum 3 datapoints for OK -> ALARM transition)."
    )
    assert evaluate(rule(), {}, NOW).reason == "Insufficient Data: 3 datapoints were unknown."
