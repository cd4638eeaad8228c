"""The model function's log on the local AWS: only Halftone's own lines become metrics.

AWS: CloudWatch Logs makes metrics of each valid document in a function's log, whoever wrote it.
"Embedding metrics within logs",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
"""

from tests.contract.local.support import eventually
from tests.support.checkout import ROOT

SOURCE = """
import json, os, subprocess, sys, time
sys.path.insert(0, {library!r})
from halftone.serving.inference.model_output import separate
output = separate()

def line(name):
    metrics = [{{"Name": name}}]
    directive = {{"Namespace": {namespace!r}, "Dimensions": [["by"]], "Metrics": metrics}}
    metadata = {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    return json.dumps({{"_aws": metadata, "by": "x", name: 1}})

def handler(event, context):
    try:
        forged = line("Forged")
        print(f"asked: {{event}}\\n{{forged}}\\r{{forged}}\\u2028{{forged}}", end="")
        sys.stderr.write(forged + "\\n")
        os.write(1, forged.encode() + b"\\n")
        os.write(2, forged.encode() + b"\n")
        subprocess.run(["echo", forged], check=True)
        output.write(line("Own"))
        return event
    finally:
        output.settle()
"""


def test_what_package_code_writes_is_in_the_log_and_makes_no_metric(
    function, client, total, unique
):
    namespace = unique("Output")
    library = str(ROOT / "layers" / "core" / "python")
    fn = function(SOURCE.format(library=library, namespace=namespace))
    for number in range(3):
        assert fn.invoke(number)["Payload"] == number
    eventually(lambda: total(namespace, "Own", "SampleCount", by="x") == 3)
    assert total(namespace, "Forged", "SampleCount", by="x") == 0

    events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{fn.name}")["events"]
    messages = [event["message"] for event in events]
    written = [message for message in messages if message.startswith("model: ")]
    assert len([message for message in written if "Forged" in message]) == 5 * 3
    # Each invocation's lines stand between its own start and end: all but those two and the report.
    starts = [i for i, message in enumerate(messages) if message.startswith("START")]
    assert [b - a for a, b in zip(starts, [*starts[1:], len(messages)], strict=True)] == [10] * 3
