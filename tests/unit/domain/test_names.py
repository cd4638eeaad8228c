"""Names that several parts must agree on can't mean two things."""

import pytest

from halftone.domain.errors import InvalidInput
from halftone.domain.names import (
    GUARDRAIL_ALARMS,
    checked_name,
    guardrail_name,
    guardrail_prefix,
    manifest_key,
    metric_alarm_name,
    package_key,
)


@pytest.mark.parametrize("name", ["a", "fraud", "fraud-eu-1", "a" * 32])
def test_a_good_name_is_taken_as_it_is(name):
    assert checked_name("name", name) == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a" * 33, None, 5, "é"])
def test_a_bad_name_is_refused_with_its_field(name):
    with pytest.raises(InvalidInput, match=r"stage is .*, expected 1 to 32 of"):
        checked_name("stage", name)


def test_the_rule_for_guardrails_matches_no_metric_alarm():
    prefix = guardrail_prefix("prod")
    for endpoint in ("fraud", "errors-rate"):
        alarms = [metric_alarm_name("prod", endpoint, kind) for kind in GUARDRAIL_ALARMS]
        assert guardrail_name("prod", endpoint).startswith(prefix)
        assert not [alarm for alarm in alarms if alarm.startswith(prefix)]


def test_a_package_and_its_manifest_have_places_of_their_own():
    assert package_key("ab") != manifest_key("ab")
