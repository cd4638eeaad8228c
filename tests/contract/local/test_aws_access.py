"""What no policy allows is refused, with the service's own error and a line in the local log.

AWS: "Policy evaluation logic",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.contract.local.support import Function, eventually, make_role

ACCOUNT = "000000000042"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/access"
FUNCTIONS = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
OWN_KEYS = {
    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["OWN#*"]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}


@pytest.fixture(scope="module")
def table(client):
    """A table with the partition key ``pk``."""
    client("dynamodb").create_table(
        TableName="access",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def assumed(aws, client, unique):
    """Clients of a new role that has these statements."""

    def assume(*statements: dict[str, Any]) -> Any:
        arn = make_role(client("iam"), unique("role"), *statements)
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
            region_name="us-east-1",
        )
        return lambda service: session.client(service, endpoint_url=aws.endpoint_url)

    return assume


def allow(actions, resource, condition=None, effect="Allow"):
    named = {"Effect": effect, "Action": actions, "Resource": resource}
    return named | ({"Condition": condition} if condition else {})


def code(call, **arguments):
    """The error that AWS answers, or an empty text."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def item(key):
    return {"TableName": "access", "Item": {"pk": {"S": key}}}


@pytest.mark.usefixtures("table")
def test_a_condition_on_leading_keys_holds_each_way_to_an_item(assumed):
    actions = [f"dynamodb:{name}" for name in ("GetItem", "PutItem", "Query", "Scan")]
    ddb = assumed(allow(actions, TABLE, OWN_KEYS))("dynamodb")
    query = {"TableName": "access", "KeyConditionExpression": "#k = :k"}
    query["ExpressionAttributeNames"] = {"#k": "pk"}
    for key, answer in (("OWN#1", ""), ("FOREIGN#1", "AccessDeniedException")):
        values = {":k": {"S": key}}
        assert code(ddb.put_item, **item(key)) == answer
        assert code(ddb.get_item, TableName="access", Key={"pk": {"S": key}}) == answer
        assert code(ddb.query, **query, ExpressionAttributeValues=values) == answer
        puts = [{"Put": item("OWN#2")}, {"Put": item(key)}]
        assert code(ddb.transact_write_items, TransactItems=puts) == answer
    assert code(ddb.scan, TableName="access") == "AccessDeniedException"


def test_metrics_go_to_the_namespace_of_the_condition_only(assumed):
    condition = {"StringEquals": {"cloudwatch:namespace": "Mine"}}
    cloudwatch = assumed(allow("cloudwatch:PutMetricData", "*", condition))("cloudwatch")
    data = [{"MetricName": "m", "Value": 1.0}]
    assert code(cloudwatch.put_metric_data, Namespace="Mine", MetricData=data) == ""
    assert "AccessDenied" in code(cloudwatch.put_metric_data, Namespace="Yours", MetricData=data)


def test_a_batch_of_messages_needs_the_action_of_one(assumed, client, unique):
    url = client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]
    entries = [{"Id": "1", "MessageBody": "m"}]
    for action, answer in (("sqs:SendMessage", ""), ("sqs:ReceiveMessage", "AccessDenied")):
        sqs = assumed(allow(action, "*"))("sqs")
        assert code(sqs.send_message_batch, QueueUrl=url, Entries=entries) == answer


def test_an_alarm_is_named_by_its_arn(assumed):
    mine = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:mine-*"
    cloudwatch = assumed(allow(["cloudwatch:SetAlarmState"], mine))("cloudwatch")
    state = {"StateValue": "OK", "StateReason": "test"}
    assert "AccessDenied" not in code(cloudwatch.set_alarm_state, AlarmName="mine-1", **state)
    assert "AccessDenied" in code(cloudwatch.set_alarm_state, AlarmName="yours", **state)
    assert "AccessDenied" in code(cloudwatch.describe_alarms)


@pytest.mark.parametrize(
    ("granted", "answers"),
    [
        pytest.param(["f:*"], ["AccessDeniedException", "AccessDeniedException"], id="qualified"),
        pytest.param(["f"], ["AccessDeniedException", ""], id="unqualified"),
        pytest.param(["f", "f:*"], ["", ""], id="both"),
    ],
)
def test_reading_a_version_needs_both_names_of_it(assumed, client, unique, granted, answers):
    function = Function(client, unique("named"), ["def handler(event, context): pass"])
    arns = [f"{FUNCTIONS}:{function.name}{name[1:]}" for name in granted]
    lambda_ = assumed(allow("lambda:GetFunctionConfiguration", arns))("lambda")
    read = lambda_.get_function_configuration
    version = code(read, FunctionName=function.name, Qualifier="1")
    assert [version, code(read, FunctionName=function.name)] == answers


def test_an_explicit_denial_wins(assumed):
    everything = allow("*", "*")
    s3 = assumed(everything, allow("s3:CreateBucket", "*", effect="Deny"))("s3")
    assert code(s3.create_bucket, Bucket="denied") == "AccessDenied"
    assert code(s3.list_buckets) == ""


def test_a_wrong_signature_and_an_unknown_key_are_refused(aws):
    known = aws.environment()["AWS_ACCESS_KEY_ID"]
    for key, secret in ((known, "wrong"), ("test", "local"), ("AKIAUNKNOWN000000000", "x")):
        iam = boto3.client(
            "iam",
            endpoint_url=aws.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
        assert code(iam.list_roles) in {"SignatureDoesNotMatch", "InvalidClientTokenId"}, key


def test_a_function_acts_with_the_rights_of_its_own_role(client, unique, aws):
    source = """
        import boto3
        def handler(event, context):
            who = boto3.client("sts").get_caller_identity()["Arn"]
            try:
                boto3.client("dynamodb").list_tables()
            except Exception as error:
                return [who, type(error).__name__, str(error)]
            return [who, "", ""]
    """
    role = unique("poor")
    make_role(client("iam"), role)
    function = Function(client, unique("acting"), [source])
    function.lambda_.update_function_configuration(
        FunctionName=function.name, Role=f"arn:aws:iam::{ACCOUNT}:role/{role}"
    )
    function.ready()
    who, _name, message = function.invoke()["Payload"]
    assert f"assumed-role/{role}/" in who
    assert "dynamodb:ListTables" in message
    refusals = [line for line in aws.log.read_text().splitlines() if "refused:" in line]
    assert any("dynamodb:ListTables" in line and role in line for line in refusals)


def test_a_function_without_a_grant_for_its_log_writes_none(client, unique):
    name, role = unique("silent"), unique("poor")
    arn = make_role(client("iam"), role)
    function = Function(client, name, ["def handler(event, context): print('hello')"])
    function.lambda_.update_function_configuration(FunctionName=name, Role=arn)
    function.ready()
    function.invoke()
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")
    assert not groups["logGroups"]


def test_an_api_reaches_only_the_alias_that_lets_it_in(client, unique, aws):
    source = "def handler(event, context): return {'statusCode': 200, 'body': 'here'}"
    function = Function(client, unique("routed"), [source])
    gateway = client("apigatewayv2")
    api = gateway.create_api(Name=unique("api"), ProtocolType="HTTP")["ApiId"]
    lambda_ = function.lambda_
    alias = lambda_.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=alias["AliasArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    for path in ("/open", "/closed"):
        gateway.create_route(
            ApiId=api, RouteKey=f"GET {path}", Target=f"integrations/{integration}"
        )
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    base = f"{aws.endpoint_url}/_aws/execute-api/{api}/$default"

    def status(path):
        try:
            with urllib.request.urlopen(base + path, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    # The function's own statement says nothing of its alias.
    assert (status("/open"), status("/closed")) == (500, 500)
    lambda_.add_permission(
        FunctionName=function.name,
        Qualifier="live",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}/*/*/open",
    )
    assert (status("/open"), status("/closed")) == (200, 500)


def test_a_rule_invokes_only_functions_that_let_it_in(client, unique, aws):
    source = "def handler(event, context): pass"
    function = Function(client, unique("ruled"), [source])
    function.lambda_.remove_permission(FunctionName=function.name, StatementId="events-function")
    events, rule, kind = client("events"), unique("rule"), unique("kind")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [kind]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "fn", "Arn": function.arn}])
    events.put_events(Entries=[{"Source": kind, "DetailType": "x", "Detail": "{}"}])
    words = ("refused: lambda:InvokeFunction", function.name, "events.amazonaws.com")
    lines = aws.log.read_text
    eventually(lambda: any(all(w in line for w in words) for line in lines().splitlines()))


def test_a_machine_invokes_what_its_role_may(client, unique):
    function = Function(client, unique("task"), ["def handler(event, context): return 1"])
    states = client("stepfunctions")
    role = make_role(client("iam"), unique("machine"))
    task = {"Type": "Task", "Resource": function.arn, "End": True}
    machine = states.create_state_machine(
        name=unique("machine"),
        definition=json.dumps({"StartAt": "Task", "States": {"Task": task}}),
        roleArn=role,
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def ended():
        status = states.describe_execution(executionArn=execution)["status"]
        return status if status != "RUNNING" else ""

    assert eventually(ended) == "FAILED"
