"""docs/costs.md counts what costs money while nothing happens: so do the templates."""

import re
from typing import Any

from halftone.domain.endpoint.spec import EndpointSpec
from tests.infra.support import Synthesised
from tests.support.checkout import ROOT

PAGE = (ROOT / "docs" / "costs.md").read_text()
STANDING = "halftone-dev-digits"


def counted(what: str) -> int:
    """The number in the row of the page that begins with ``what``."""
    (number,) = re.findall(rf"^\| {re.escape(what)} \| (\d+) \|", PAGE, re.MULTILINE)
    return int(number)


def test_an_endpoint_has_standing_what_the_page_says(dev: Synthesised) -> None:
    def of(kind: str) -> list[Any]:
        return [r.properties for r in dev.resources(kind) if r.stack == STANDING]

    alarms = [alarm["Period"] for alarm in of("AWS::CloudWatch::Alarm")]
    assert (alarms.count(10), alarms.count(60)) == (
        counted("alarms of 10 seconds"),
        counted("alarms of a minute"),
    )
    assert len(alarms) == alarms.count(10) + alarms.count(60)
    assert len(of("AWS::CloudWatch::CompositeAlarm")) == counted("composite alarms")
    (schedule,) = of("AWS::Events::Rule")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert counted("ticks of the schedule") == 30 * 24 * 60
    (function,) = of("AWS::Lambda::Function")
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert function["TracingConfig"] == {"Mode": "Active"}
    usual = EndpointSpec(name="a", model="b").memory
    snapshots = "snapshots (SnapStart): GB of `memory`, of each version that is there"
    assert usual == 1024 * counted(snapshots)


def test_a_stage_has_one_snapshot_and_no_alarm_of_its_own(dev: Synthesised) -> None:
    own = [r for r in dev.resources() if r.stack == "halftone-dev"]
    assert not [r for r in own if "Alarm" in r.type]
    (snapped,) = [r for r in own if "SnapStart" in r.properties]
    assert snapped.properties["MemorySize"] == 1024
    assert "control function (1024 MB)" in PAGE
    assert not [r for r in own if "ScheduleExpression" in r.properties]
