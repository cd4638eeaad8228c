"""The registry, deployments, settings, logs and figures on real parts, by the control API."""

import json
import urllib.request
from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

from halftone.domain.names import function_name
from halftone.domain.rollout.phase import Phase
from halftone.packaging.folder import build_package
from tests.e2e.conftest import KEPT
from tests.e2e.people import Person
from tests.e2e.support import MODELS, Stage

BASE = f"/v1/endpoints/{KEPT}"
ROUTE = f"ANY /endpoints/{KEPT}/{{proxy+}}"


def test_a_version_is_registered_released_watched_and_replaced(
    stage: Stage, person: Callable[[str], Person]
) -> None:
    kim = person("kim")
    function = function_name("local", KEPT)
    lambda_ = boto3.client("lambda")

    # What endpoint.yaml says of concurrency and throttle is in force.
    reserved = lambda_.get_function_concurrency(FunctionName=function)
    assert reserved["ReservedConcurrentExecutions"] == 20
    assert throttles()[ROUTE]["ThrottlingRateLimit"] == 200

    # The package is uploaded, registered once, tagged, and pointed at.
    package = build_package(MODELS / "challenger")
    model = f"/v1/models/{package.manifest.name}"
    leave = kim.post(f"{BASE}/uploads", {"digest": package.digest}, key="kims-upload")[2]
    put = urllib.request.Request(leave["url"], package.data, leave["headers"], method="PUT")
    with urllib.request.urlopen(put, timeout=30) as stored:
        assert stored.status == 200
    wanted = {"digest": package.digest}
    status, _, made = kim.post(f"{model}/versions", wanted, key="kim-registers")
    assert (status, made["digest"]) == (201, package.digest)
    again = kim.post(f"{model}/versions", wanted, key="kim-registers-again")[2]
    assert again["number"] == made["number"]
    passed = {"tags": {"validation_status": "PASSED"}, "metrics": {"auc": 0.97}}
    version = f"{model}/versions/{made['number']}"
    assert kim.ask("PATCH", version, passed, if_match="*")[0] == 200
    pointed = kim.ask(
        "PUT", f"{model}/aliases/challenger", {"number": made["number"]}, if_match="*"
    )
    assert pointed[2]["aliases"]["challenger"] == made["number"]

    # It is released by its alias, and gets everything.
    released = {"model": f"{package.manifest.name}@challenger", "plan": "all-at-once"}
    status, _, begun = kim.post(f"{BASE}/releases", released, key="kim-releases")
    assert status == 202, begun
    assert stage.until_over(KEPT).phase is Phase.PROMOTED
    status, _, shown = kim.ask("GET", f"{BASE}/deployments/2")
    assert (status, shown["status"], shown["share"]) == (200, "Deployed", 100.0)
    assert shown["model"] == made["name"]

    # A call as the signature tells it is answered, logged and counted.
    signature = kim.ask("GET", f"{BASE}/signature")[2]
    assert signature["url"].endswith(f"/endpoints/{KEPT}")
    body = json.dumps({"instances": signature["sample"]["instances"]}).encode()
    for _ in range(5):
        assert stage.ask(KEPT, body)[0] == 200
    log = f"{BASE}/logs?version=2"
    stage.until("lines of version 2", lambda: bool(kim.ask("GET", log)[2]["items"]))
    read = kim.ask("GET", log)[2]
    assert {line["version"] for line in read["items"]} == {"2"}
    assert kim.ask("GET", f"{log}&cursor={read['cursor']}")[2]["items"] == []
    assert stage.ask(KEPT, body)[0] == 200
    stage.until(
        "lines of one request more",
        lambda: bool(kim.ask("GET", f"{log}&cursor={read['cursor']}")[2]["items"]),
    )
    replicas = kim.ask("GET", f"{BASE}/replicas?version=2")[2]["items"]
    assert len(replicas) < len(kim.ask("GET", log)[2]["items"])

    def counted() -> int:
        series = kim.ask("GET", f"{BASE}/metrics?period=10&version=2")[2]["versions"]["2"]["qps"]
        return round(sum(value or 0 for value in series) * 10)

    stage.until("six requests in the figures", lambda: counted() == 6)

    # Replicas are of one version; the throttle is given back; the forerunner goes.
    scaled = kim.ask("PATCH", f"{BASE}/deployments/2", {"replicas": 2}, if_match="*")
    assert (scaled[0], scaled[2]["replicas"]) == (200, 2)
    assert kim.ask("PATCH", f"{BASE}/settings", {"throttle": None}, if_match="*")[0] == 200
    assert ROUTE not in throttles()
    assert kim.ask("DELETE", f"{BASE}/deployments/2")[0] == 409
    for _ in range(2):
        status, _, gone = kim.ask("DELETE", f"{BASE}/deployments/1?message=outdone")
        assert (status, gone["deleted"]) == (200, True)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        lambda_.get_function_configuration(FunctionName=function, Qualifier="1")
    assert stage.ask(KEPT, body)[0] == 200
    assert [record.action for record in stage.records(KEPT)][-3:] == [
        "scaled", "settings", "deleted",
    ]  # fmt: skip
    assert kim.ask("GET", f"{model}/audit/verify")[0] == 200


def throttles() -> dict[str, dict[str, float]]:
    """The settings of the stage's routes, by their keys."""
    gateway = boto3.client("apigatewayv2")
    (api,) = [api for api in gateway.get_apis()["Items"] if api["Name"] == "halftone-local"]
    found = gateway.get_stage(ApiId=api["ApiId"], StageName="$default")
    return dict(found.get("RouteSettings", {}))
