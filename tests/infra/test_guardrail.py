"""The alarms of an endpoint: what they watch, when they go red, and who hears of it."""

from dataclasses import replace

from halftone.domain.endpoint.spec import Guardrail
from halftone.domain.names import GUARDRAIL_ALARMS, alarm_rule_name
from tests.infra.support import Synthesised
from tests.infra.their_app import SPEC, Deploy


def test_the_guardrail(deploy: Deploy) -> None:
    spec = replace(SPEC, errors=Guardrail(rate=2.5, count=4, breaches=2, periods=3))
    synthesised = deploy(spec)
    alarms = {
        a.properties["AlarmName"].partition("--")[2]: a.properties
        for a in synthesised.resources("AWS::CloudWatch::Alarm")
    }
    rate, count = alarms["errors-rate"], alarms["errors-count"]
    assert (rate["Statistic"], rate["ComparisonOperator"]) == ("Average", "GreaterThanThreshold")
    assert rate["Threshold"] == 0.025
    assert (count["Statistic"], count["Threshold"]) == ("Sum", 4)
    assert count["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    for alarm in (rate, count):
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)
    watched = {
        kind: (
            alarm["Namespace"],
            alarm["MetricName"],
            alarm["Period"],
            {d["Name"]: d["Value"] for d in alarm["Dimensions"]},
        )
        for kind, alarm in alarms.items()
    }
    own = {"Endpoint": "fraud", "Version": "none"}
    platform = {
        "FunctionName": "halftone-dev-fraud",
        "Resource": "halftone-dev-fraud:live",
        "ExecutedVersion": "none",
    }
    assert watched == {
        "errors-rate": ("Halftone", "Errors", 10, own),
        "errors-count": ("Halftone", "Errors", 10, own),
        "late-rate": ("Halftone", "Late", 10, own),
        "late-count": ("Halftone", "Late", 10, own),
        "crashes-rate": ("AWS/Lambda", "Errors", 60, platform),
        "crashes-count": ("AWS/Lambda", "Errors", 60, platform),
        "proof": ("Halftone", "ProofOfRegression", 10, own),
    }
    assert watched.keys() == {*GUARDRAIL_ALARMS}
    proof = alarms["proof"]
    assert (proof["Statistic"], proof["Threshold"]) == ("Maximum", 1)
    assert proof["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert not any("AlarmActions" in alarm for alarm in alarms.values())


def test_the_guardrail_asks_for_rate_and_count_or_proof(plain: Synthesised) -> None:
    composite = plain.one("AWS::CloudWatch::CompositeAlarm")
    name = "halftone-dev-fraud--"
    pairs = [
        f'(ALARM("{name}{kind}-rate") AND ALARM("{name}{kind}-count"))'
        for kind in ("errors", "late", "crashes")
    ]
    assert composite.properties["AlarmRule"] == " OR ".join([*pairs, f'ALARM("{name}proof")'])
    assert composite.properties["AlarmName"] == "halftone-dev-guardrail--fraud"
    alarms = {alarm.id for alarm in plain.resources("AWS::CloudWatch::Alarm")}
    assert {*composite.definition["DependsOn"]} == alarms


def test_the_alarm_rule_hears_every_guardrail_and_nothing_else(dev: Synthesised) -> None:
    rules = [r for r in dev.resources("AWS::Events::Rule") if "EventPattern" in r.properties]
    (rule,) = rules
    assert rule.properties["Name"] == alarm_rule_name("dev"), "by which `halftone doctor` finds it"
    detail = rule.properties["EventPattern"]["detail"]
    assert detail["state"] == {"value": ["ALARM"]}
    (name,) = detail["alarmName"]
    for alarm in dev.resources("AWS::CloudWatch::CompositeAlarm"):
        assert alarm.properties["AlarmName"].startswith(name["prefix"])
    for alarm in dev.resources("AWS::CloudWatch::Alarm"):
        assert not alarm.properties["AlarmName"].startswith(name["prefix"])
