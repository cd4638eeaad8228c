"""``halftone doctor``: each finding with its remedy, and exit code 1 if one is bad."""

import re
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.stub import Stubber

from halftone.domain.audit import Author
from halftone.domain.errors import NotFound, Unavailable
from halftone.domain.rollout.routing import Routing
from halftone.ports.guardrails import AlarmState, Guard
from halftone.service.endpoints.retire import retire
from halftone_cli.stage import checkup
from halftone_cli.stage.account import Account
from tests.support.engine import NAME

OUTPUTS = {"Url": "https://api.example", "DeadLetterQueue": "https://sqs.example/dead"}


@dataclass
class MemoryAccount:
    """An account in which all is well, unless a test says otherwise."""

    who: str = "arn:aws:iam::000000000042:user/ann"
    version: int | None = 30
    letters: int = 0
    off: set[str] = field(default_factory=set)
    hears: bool = True
    lost: Exception | None = None
    missing: Exception | None = None

    def caller(self):
        if self.lost:
            raise self.lost
        return self.who

    def bootstrap_version(self):
        return self.version

    def outputs(self):
        if self.missing:
            raise self.missing
        return OUTPUTS

    def dead_letters(self, queue):
        assert queue == OUTPUTS["DeadLetterQueue"]
        return self.letters

    def scheduled(self, endpoint):
        return endpoint not in self.off

    def heard(self):
        return self.hears


@pytest.fixture
def healthy(rolling):
    rolling.account = MemoryAccount()
    return rolling


def findings(ran):
    return {finding["check"]: finding for finding in ran.json["findings"]}


def test_a_stage_in_order_has_no_remedies_and_exits_0(healthy):
    ran = healthy("doctor", "--json")

    assert (ran.code, ran.json["healthy"]) == (0, True)
    result = findings(ran)
    assert list(result) == [
        "python",
        "credentials",
        "bootstrap",
        "stage",
        "dead letters",
        "alarm rule",
        "control API",
        "fraud: versions",
        "fraud: alias",
        "fraud: alarms",
        "fraud: schedule",
    ]
    assert {f["remedy"] for f in result.values()} == {None}
    assert result["fraud: alarms"]["found"] == "armed for version 2"


def test_every_finding_is_a_row_with_what_to_do(healthy):
    healthy.account.letters = 3

    ran = healthy("doctor")

    assert ran.code == 1
    [row] = [line for line in ran.out.splitlines() if "dead letters" in line]
    assert re.split("  +", row)[:3] == ["BAD", "dead letters", "3 in https://sqs.example/dead"]
    assert row.endswith("  read them: each is an event that nobody answered")


@pytest.mark.parametrize(
    ("change", "check", "found", "remedy"),
    [
        ({"version": None}, "bootstrap", "not bootstrapped", "run `make deploy STAGE=test`"),
        ({"version": 20}, "bootstrap", "version 20", "run `make deploy STAGE=test`"),
        ({"off": {NAME}}, "fraud: schedule", "off", "switch its EventBridge rule on"),
        ({"hears": False}, "alarm rule", "off", "switch its EventBridge rule on"),
        ({"letters": 1}, "dead letters", "1 in", "read them"),
    ],
)
def test_what_is_wrong_in_the_account_is_found(healthy, change, check, found, remedy):
    healthy.account = replace(healthy.account, **change)

    ran = healthy("doctor", "--json")

    bad = [f for f in ran.json["findings"] if not f["good"]]
    assert (ran.code, [f["check"] for f in bad]) == (1, [check])
    assert found in bad[0]["found"]
    assert remedy in bad[0]["remedy"]


def test_an_alias_that_left_the_record_is_found(healthy):
    healthy.endpoint.world.functions.routings[NAME] = Routing("1", "9", 5.0)

    assert not findings(healthy("doctor", "--json"))["fraud: alias"]["good"]


def test_a_version_that_is_gone_is_found(healthy):
    healthy.endpoint.world.functions.deleted.add((NAME, "2"))

    versions = findings(healthy("doctor", "--json"))["fraud: versions"]

    assert (versions["good"], versions["found"]) == (False, "2 is gone")


def test_of_several_endpoints_one_can_be_looked_at(healthy):
    assert healthy("doctor", NAME).code == 0
    assert healthy("doctor", "nope").code == 3
    assert healthy("doctor", "No!").code == 2


def test_alarms_that_do_not_watch_the_challenger_are_found(healthy):
    healthy.endpoint.world.guardrails.guards[NAME] = Guard(AlarmState.OK, "", "1")

    alarms = findings(healthy("doctor", "--json"))["fraud: alarms"]

    assert alarms["found"] == "armed for 1, expected 2"
    assert "`halftone rollback fraud`" in alarms["remedy"]


def test_alarms_that_a_rollback_left_are_in_order(healthy):
    healthy("rollback", NAME)

    ran = healthy("doctor", "--json")

    assert (ran.code, ran.json["healthy"]) == (0, True)
    assert findings(ran)["fraud: alarms"]["found"].startswith("armed for version 2, which was")


def test_disarmed_alarms_are_found_when_nothing_rolls_out(healthy):
    healthy("rollback", NAME)
    healthy.endpoint.world.guardrails.guards[NAME] = Guard(AlarmState.OK, "", None)

    alarms = findings(healthy("doctor", "--json"))["fraud: alarms"]

    assert (alarms["good"], alarms["found"]) == (False, "armed for no version, expected 1")


def test_a_red_guardrail_is_found(healthy):
    healthy.endpoint.trip("errors above 5 %")

    guardrail = findings(healthy("doctor", "--json"))["fraud: guardrail"]

    assert "in alarm: " in guardrail["found"]


def test_a_retired_endpoint_is_in_order(healthy):
    retire(healthy.endpoint.ports, NAME, author=Author("ann", "its stack was deleted"), key="k")

    assert findings(healthy("doctor", "--json"))["fraud"]["good"]


def test_without_credentials_nothing_else_is_asked(healthy):
    healthy.account.lost = Unavailable("no AWS credentials that work")

    ran = healthy("doctor", "--json")

    assert ran.code == 1
    assert list(findings(ran)) == ["python", "credentials", "bootstrap"]


def test_a_stage_that_is_not_deployed_says_how_to_make_it(healthy):
    healthy.account.missing = NotFound("stage", "test")

    ran = healthy("doctor", "--json")

    assert ran.code == 1
    assert findings(ran)["stage"]["remedy"] == "run `make deploy STAGE=test`"


def test_an_account_that_cannot_be_reached_is_a_finding(healthy):
    healthy.unreachable = Unavailable("no local AWS runs on port 4566: start it with `make up`")

    ran = healthy("doctor", "--json")

    assert (ran.code, findings(ran)["stage"]["found"]) == (1, str(healthy.unreachable))


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "package.json").write_text('{"devDependencies": {"aws-cdk": "2.1.0"}}')
    return tmp_path


def test_the_tools_of_a_checkout_are_in_order(checkout):
    fields = {"node": "v20.1.0\n", "cdk": "2.1.0 (build abc)\n"}

    items = list(checkup.tools(checkout, lambda words: fields[words[0].rpartition("/")[2]]))

    assert [(f.check, f.good) for f in items] == [("python", True), ("node", True), ("cdk", True)]


@pytest.mark.parametrize("node", ["v18.2.0\n", "strange\n", OSError("there is no node")])
def test_tools_that_are_missing_or_old_have_a_remedy(checkout, node):
    def run(words):
        if isinstance(node, OSError):
            raise node
        return node if words[0] == "node" else "3.0.0\n"

    _, result, cdk = checkup.tools(checkout, run)

    assert result.remedy.startswith("install Node 20 or later")
    assert cdk.remedy == "run `make setup`: this checkout deploys with CDK CLI 2.1.0"


def test_a_program_that_fails_or_is_missing_is_an_os_error():
    assert checkup.run(["python3", "-c", "print(3)"]) == "3\n"
    with pytest.raises(OSError, match="there is no program-of-no-name"):
        checkup.run(["program-of-no-name"])
    with pytest.raises(OSError, match="python3 failed"):
        checkup.run(["python3", "-c", "raise SystemExit(2)"])


@pytest.fixture
def stubbed(monkeypatch):
    """An account whose clients answer what is added to the stub of the service."""
    session = boto3.session.Session(
        region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    account = Account(session, "qa", deploy="make deploy STAGE=qa")
    stubs = {
        name: Stubber(getattr(account, f"_{name}"))
        for name in ("sts", "cloudformation", "sqs", "events")
    }
    for stub in stubs.values():
        stub.activate()
    return account, stubs


def toolkit(outputs):
    return {
        "Stacks": [
            {
                "StackName": "CDKToolkit",
                "CreationTime": "2026-01-01T00:00:00Z",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
            }
        ]
    }


def test_the_bootstrap_version_is_an_output_of_its_stack(stubbed):
    account, stubs = stubbed
    stub = stubs["cloudformation"]
    stub.add_response("describe_stacks", toolkit({"BootstrapVersion": "30"}))
    stub.add_response("describe_stacks", toolkit({}))
    stub.add_client_error("describe_stacks", "ValidationError", "does not exist")
    stub.add_client_error("describe_stacks", "AccessDenied", "you may not")

    assert [account.bootstrap_version() for _ in range(3)] == [30, None, None]
    with pytest.raises(Unavailable, match=r"bootstrap stack.*you may not"):
        account.bootstrap_version()


def test_dead_letters_are_counted_by_the_queue(stubbed):
    account, stubs = stubbed
    name = "ApproximateNumberOfMessages"
    expected = {"QueueUrl": "q", "AttributeNames": [name]}
    stubs["sqs"].add_response("get_queue_attributes", {"Attributes": {name: "4"}}, expected)

    assert account.dead_letters("q") == 4


def test_the_rule_that_hears_alarms_is_asked_for_by_its_name(stubbed):
    account, stubs = stubbed
    expected = {"Name": "halftone-qa-guardrails"}
    stubs["events"].add_response("describe_rule", {"State": "ENABLED"}, expected)

    assert account.heard()


def test_a_schedule_is_on_off_or_not_there(stubbed):
    account, stubs = stubbed
    stub = stubs["events"]
    expected = {"Name": "halftone-qa-fraud-tick"}
    stub.add_response("describe_rule", {"State": "ENABLED"}, expected)
    stub.add_response("describe_rule", {"State": "DISABLED"}, expected)
    stub.add_client_error("describe_rule", "ResourceNotFoundException", "no such rule")
    stub.add_client_error("describe_rule", "AccessDeniedException", "you may not")

    assert [account.scheduled("fraud") for _ in range(3)] == [True, False, False]
    with pytest.raises(Unavailable, match="you may not"):
        account.scheduled("fraud")
