"""Versions, aliases, revisions, layers: the Lambda API reference, UpdateAlias and others."""

import io
import json
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from tests.contract.local.support import eventually, zipped

SOURCE = "def handler(event, context): return %d"


def test_an_alias_update_with_a_stale_revision_changes_nothing(function, client):
    fn = function(SOURCE % 1, SOURCE % 2)
    fn.alias("live", "1")
    api = client("lambda")
    stale = api.get_alias(FunctionName=fn.name, Name="live")["RevisionId"]
    won = api.update_alias(
        FunctionName=fn.name,
        Name="live",
        RevisionId=stale,
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    assert won["RevisionId"] != stale
    with pytest.raises(api.exceptions.PreconditionFailedException) as lost:
        api.update_alias(FunctionName=fn.name, Name="live", RevisionId=stale, FunctionVersion="2")
    assert lost.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    alias = api.get_alias(FunctionName=fn.name, Name="live")
    assert alias["FunctionVersion"] == "1"
    assert alias["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.1}
    cleared = api.update_alias(
        FunctionName=fn.name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert not cleared.get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_a_configuration_update_with_a_stale_revision_fails(function, client):
    fn = function(SOURCE % 1)
    api = client("lambda")
    stale = api.get_function_configuration(FunctionName=fn.name)["RevisionId"]
    api.update_function_configuration(
        FunctionName=fn.name, RevisionId=stale, Environment={"Variables": {"MODEL": "a"}}
    )
    fn.ready()
    with pytest.raises(api.exceptions.PreconditionFailedException):
        api.update_function_configuration(
            FunctionName=fn.name, RevisionId=stale, Environment={"Variables": {"MODEL": "b"}}
        )


def test_publishing_without_a_change_answers_the_version_before(function, client):
    fn = function(SOURCE % 1)
    assert fn.publish() == fn.versions[-1]
    client("lambda").update_function_configuration(
        FunctionName=fn.name, Environment={"Variables": {"MODEL": "a"}}
    )
    fn.ready()
    second = fn.publish()
    assert second == "2"
    published = client("lambda").get_function_configuration(FunctionName=fn.name, Qualifier=second)
    assert published["Environment"]["Variables"] == {"MODEL": "a"}


def test_a_failed_asynchronous_invoke_ends_in_the_dead_letters(function, client, unique):
    """Invoked by a rule, as EventBridge does: asynchronously."""
    sqs, events, rule = client("sqs"), client("events"), unique("rule")
    queue = sqs.create_queue(QueueName=unique("dead"))["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    fn = function(
        "def handler(event, context):\n    print('attempt')\n    raise RuntimeError('always')",
        DeadLetterConfig={"TargetArn": attributes["Attributes"]["QueueArn"]},
    )
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "fn", "Arn": fn.arn}])
    events.put_events(Entries=[{"Source": rule, "DetailType": "x", "Detail": '{"n": 7}'}])

    def dead():
        return sqs.receive_message(QueueUrl=queue).get("Messages")

    (message,) = eventually(dead)
    assert '"n": 7' in message["Body"]
    lines = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{fn.name}")["events"]
    assert sum(line["message"] == "attempt" for line in lines) == 3
    events.remove_targets(Rule=rule, Ids=["fn"])
    events.delete_rule(Name=rule)


def big_layer(text):
    """A zip of about 175 MB unpacked, with one module to import."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("python/layered.py", f"WORD = {text!r}")
        archive.writestr("python/both.py", "FROM = 'layer'")
        for number in range(7):
            archive.writestr(f"python/data/{number}.bin", bytes(25_000_000))
    return buffer.getvalue()


def test_functions_import_from_layers_and_their_own_files_win(function, client, unique):
    name = unique("layer")
    layer = client("lambda").publish_layer_version(
        LayerName=name, Content={"ZipFile": big_layer(name)}
    )["LayerVersionArn"]
    fn = function(
        """
        import both, layered
        def handler(event, context):
            return {"layer": layered.WORD, "both": both.FROM}
        """,
        Layers=[layer],
        Timeout=60,
    )
    code = io.BytesIO(zipped("FROM = 'function'", "both.py"))
    with zipfile.ZipFile(code, "a") as archive:
        archive.writestr(
            "index.py",
            "import both, layered\n"
            "def handler(event, context): return {'layer': layered.WORD, 'both': both.FROM}",
        )
    client("lambda").update_function_code(FunctionName=fn.name, ZipFile=code.getvalue())
    fn.ready()
    assert fn.invoke()["Payload"] == {"layer": name, "both": "function"}
    version = fn.publish()
    began = time.monotonic()
    assert fn.invoke(Qualifier=version)["Payload"]["layer"] == name
    assert time.monotonic() - began < 1.5


def test_a_name_that_does_not_exist_is_refused_by_name(client):
    with pytest.raises(ClientError, match="no-such-function"):
        client("lambda").invoke(FunctionName="no-such-function")
