"""Every method of every port on AWS, while AWS throttles, fails, refuses or does not answer.

Whatever AWS does, what comes out is an error of the domain that says what was being done and what
AWS said; nothing else, and no answer made up. A method that is added to a port fails here.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from halftone.adapters.aws.clients import PATIENT
from halftone.adapters.aws.cloudwatch_metrics import CloudWatchKeyMetrics
from halftone.adapters.aws.dynamodb.keys import DynamoKeys
from halftone.adapters.aws.s3 import S3Files
from halftone.bootstrap import Settings
from halftone.bootstrap import ports as parts
from halftone.domain.endpoint.capacity import Throttle
from halftone.domain.errors import Unavailable
from halftone.domain.insight.capture import KeyObservation
from halftone.domain.insight.charts import Window
from halftone.domain.insight.logs import Replica
from halftone.domain.rollout.routing import Routing
from halftone.ports import Ports
from halftone.ports.capture import CapturePorts, Observation
from halftone.ports.control import IdempotencyRecord
from halftone.ports.functions import Pointer
from halftone.ports.notices import Undelivered
from halftone.testing import InMemoryStage
from tests.contract.store.changes import grown as more_evidence
from tests.contract.store.changes import next_change, no_evidence
from tests.contract.store.test_control_records import written as written_group
from tests.contract.store.test_registry_records import change as model_change
from tests.contract.store.test_registry_records import version
from tests.support.engine import HEALTHY
from tests.support.notices import chain, subscription

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = "0" * 64
SUBSCRIPTION = subscription()
STREAM = Replica("2026/01/01/halftone-dev-fraud[1]abc", "1")
STAGE = Settings("dev", "table", "bucket", "arn:aws:states:eu-central-1:1:stateMachine:m", "api")
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

ASKS: dict[str, Callable[[Any], object]] = {
    "store.load": lambda p: p.store.load("fraud"),
    "store.commit": lambda p: p.store.commit(next_change(None)),
    "store.deployments": lambda p: p.store.deployments("fraud"),
    "store.audit": lambda p: list(p.store.audit("fraud")),
    "catalogue.endpoints": lambda p: p.catalogue.endpoints(),
    "evidence.load_evidence": lambda p: p.evidence.load_evidence("fraud", "r1"),
    "evidence.keep_evidence": lambda p: p.evidence.keep_evidence(
        "fraud", *more_evidence(no_evidence("r1"), (HEALTHY, HEALTHY)), previous=None
    ),
    "catalogue.load_states": lambda p: p.catalogue.load_states(["fraud"]),
    "rollout_history.looks": lambda p: list(p.rollout_history.looks("fraud", "r1")),
    "rollout_history.last_look": lambda p: p.rollout_history.last_look("fraud", "r1"),
    "rollout_history.snapshot": lambda p: p.rollout_history.snapshot("fraud", "r1"),
    "rollout_history.ended": lambda p: p.rollout_history.ended([("fraud", "r1")]),
    "charts.answered": lambda p: p.charts.answered(
        [("fraud", "1")], since=NOW, until=NOW + timedelta(minutes=5)
    ),
    "rollout_history.evidence_of": lambda p: p.rollout_history.evidence_of([("fraud", "r1")]),
    "groups.load_groups": lambda p: p.groups.load_groups(["team"]),
    "aliases.read": lambda p: p.aliases.read("fraud"),
    "aliases.both": lambda p: p.aliases.both("fraud"),
    "aliases.write": lambda p: p.aliases.write("fraud", Routing("1", "2", 5.0), revision="r"),
    "versions.point": lambda p: p.versions.point("fraud", Pointer("r1", DIGEST)),
    "versions.publish": lambda p: p.versions.publish("fraud", Pointer("r1", DIGEST)),
    "versions.status": lambda p: p.versions.status("fraud", "1"),
    "versions.pointer": lambda p: p.versions.pointer("fraud", "1"),
    "versions.memory": lambda p: p.versions.memory("fraud", "1"),
    "versions.delete": lambda p: p.versions.delete("fraud", "1"),
    "versions.invoke": lambda p: p.versions.invoke("fraud", "1", {}),
    "guardrails.read": lambda p: p.guardrails.read("fraud"),
    "guardrails.arm": lambda p: p.guardrails.arm("fraud", "2", "a test"),
    "metrics.buckets": lambda p: p.metrics.buckets(
        "fraud", challenger="2", champion="1", since=NOW, until=NOW + timedelta(minutes=1)
    ),
    "metrics.totals": lambda p: p.metrics.totals(
        "fraud", ["1", "2"], since=NOW, until=NOW + timedelta(minutes=1)
    ),
    "metrics.quantiles": lambda p: p.metrics.quantiles("fraud", "1", until=NOW),
    "metrics.publish": lambda p: p.metrics.publish("fraud", "2", 1.0, NOW),
    "packages.register": lambda p: p.packages.register("bucket", "key.zip", DIGEST),
    "packages.has_environment": lambda p: p.packages.has_environment(DIGEST),
    "packages.keep_environment": lambda p: p.packages.keep_environment("b", "key.zip", DIGEST),
    "packages.manifest": lambda p: p.packages.manifest(DIGEST),
    "workflow.start": lambda p: p.workflow.start("fraud", "r1"),
    "registry.model": lambda p: p.registry.model("churn"),
    "registry.version": lambda p: p.registry.version("churn", 1),
    "registry.number_of": lambda p: p.registry.number_of("churn", DIGEST),
    "registry.commit_model": lambda p: p.registry.commit_model(model_change(None, new=version(1))),
    "registry_pages.models": lambda p: p.registry_pages.models(most=5),
    "registry_pages.versions": lambda p: p.registry_pages.versions("churn", most=5),
    "registry_pages.model_audit": lambda p: list(p.registry_pages.model_audit("churn")),
    "logs.replicas": lambda p: p.logs.replicas("fraud"),
    "logs.newest": lambda p: p.logs.newest("fraud", STREAM, 10),
    "logs.onward": lambda p: p.logs.onward("fraud", STREAM, "", 10),
    "charts.counted": lambda p: p.charts.counted(
        "fraud", ["1"], Window(NOW, timedelta(minutes=1), 5)
    ),
    "scaling.reserve": lambda p: p.scaling.reserve("fraud", 5),
    "scaling.provision": lambda p: p.scaling.provision("fraud", "1", 2),
    "scaling.provisioned": lambda p: p.scaling.provisioned("fraud", "1"),
    "gate.throttle": lambda p: p.gate.throttle("fraud", Throttle(10.0, 5)),
    "gate.url": lambda p: p.gate.url("fraud"),
    "claims.claim": lambda p: p.claims.claim(IdempotencyRecord("r", "f", "h", NOW), NOW),
    "claims.settle": lambda p: p.claims.settle(IdempotencyRecord("r", "f", "h", NOW, "done")),
    "claims.has_changed": lambda p: p.claims.has_changed("r"),
    "claims.first_seen": lambda p: p.claims.first_seen("r", "3 r1"),
    "groups.load_group": lambda p: p.groups.load_group("clinic"),
    "groups.commit_group": lambda p: p.groups.commit_group(None, *written_group(None)),
    "groups.groups": lambda p: p.groups.groups(),
    "groups.group_audit": lambda p: list(p.groups.group_audit("clinic")),
    "subscriptions.subscriptions": lambda p: p.subscriptions.subscriptions(),
    "subscriptions.commit_subscription": lambda p: p.subscriptions.commit_subscription(
        None, SUBSCRIPTION, chain("subscribed")[0]
    ),
    "subscriptions.subscription_audit": lambda p: list(
        p.subscriptions.subscription_audit(SUBSCRIPTION.id)
    ),
    "undelivered.keep_undelivered": lambda p: p.undelivered.keep_undelivered(
        Undelivered(SUBSCRIPTION.id, DIGEST, "title", NOW, NOW, "refused")
    ),
    "undelivered.undelivered": lambda p: p.undelivered.undelivered(SUBSCRIPTION.id, most=5),
    "files.put": lambda p: p.files.put("requests/x.jsonl.gz", b"x"),
    "keys.see": lambda p: p.keys.see("fraud", SIGHTING, "b1"),
    "keys.begin": lambda p: p.keys.begin("fraud", "r1", 0, "b1"),
    "keys.failed": lambda p: p.keys.failed("fraud", "r1", 0, "b1"),
    "key_metrics.publish_keys": lambda p: p.metrics.publish_keys(
        "fraud", {Observation("1", NOW, "Errors"): {0.0: 3}}
    ),
}
"""A call of each method, by port and method."""

CALL_NOTHING = {"clock.now", "uploads.prepare", "uploads.place"}
"""What has no need of AWS: time, a signature, a name."""

SIGHTING = KeyObservation("1", "r1", 0, "0" * 16, NOW, failed=False, late=None)
URL = "https://aws.test"


def answered(code: str, status: int) -> Callable[..., object]:
    """AWS answers with that error."""

    def answer(**_: object) -> object:
        error = {"Code": code, "Message": f"{code}, says AWS"}
        return AWSResponse(URL, status, {}, None), {"Error": error, "ResponseMetadata": {}}

    return answer


def raised(error: Exception) -> Callable[..., object]:
    """AWS does not answer."""

    def refuse(**_: object) -> object:
        raise error

    return refuse


FAULTS = {
    "ThrottlingException": answered("ThrottlingException", 400),
    "TooManyRequestsException": answered("TooManyRequestsException", 429),
    "SlowDown": answered("SlowDown", 503),
    "ProvisionedThroughputExceededException": answered(
        "ProvisionedThroughputExceededException", 400
    ),
    "InternalServerError": answered("InternalServerError", 500),
    "AccessDeniedException": answered("AccessDeniedException", 403),
    "ExpiredTokenException": answered("ExpiredTokenException", 400),
    "Read timeout": raised(ReadTimeoutError(endpoint_url=URL)),
    "Connect timeout": raised(ConnectTimeoutError(endpoint_url=URL)),
    "Could not connect": raised(EndpointConnectionError(endpoint_url=URL)),
    "Connection was closed": raised(ConnectionClosedError(endpoint_url=URL)),
}


@cache
def on_aws(fault: str) -> tuple[Ports, CapturePorts]:
    """All parts there are, on an AWS with that fault."""
    session = boto3.session.Session(region_name="eu-central-1", **KEYS)
    session.events.register("before-call", FAULTS[fault])
    harvest = CapturePorts(
        files=S3Files(session.client("s3"), "captures"),
        keys=DynamoKeys(session.client("dynamodb"), "table"),
        metrics=CloudWatchKeyMetrics(session.client("cloudwatch")),
    )
    return parts(STAGE, session=session), harvest


def methods(of: object, ports: Iterable[str]) -> set[str]:
    """``port.method`` of all methods that the parts in memory share with those on AWS."""
    return {
        f"{port}.{name}"
        for port in ports
        for name in dir(getattr(of, port))
        if not name.startswith("_") and callable(getattr(getattr(of, port), name))
    }


def test_every_method_of_every_port_is_asked() -> None:
    ports = [
        name
        for name, value in vars(InMemoryStage().ports()).items()
        if not isinstance(value, timedelta | str)
    ]
    real, _ = on_aws("SlowDown")
    shared = methods(real, ports) & methods(InMemoryStage().ports(), ports)
    names = {name for name in ASKS if name.partition(".")[0] in ports}
    assert names | CALL_NOTHING >= shared - _of_other_ports(shared)


def _of_other_ports(shared: set[str]) -> set[str]:
    """One class may be several ports: what is asked by one of them is asked."""
    values = {name.partition(".")[2] for name in ASKS}
    return {name for name in shared if name not in ASKS and name.partition(".")[2] in values}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ASKS)
def test_a_fault_is_an_error_that_says_what_aws_said(name: str, fault: str) -> None:
    engine, harvest = on_aws(fault)
    if (name, fault) == ("versions.invoke", "Read timeout"):
        # A model that takes longer than its time has answered: that it is too slow.
        assert engine.versions.invoke("fraud", "1", {})["statusCode"] == 500
        return
    request = harvest if name.partition(".")[0] in ("files", "keys", "key_metrics") else engine
    with pytest.raises(Unavailable) as refusal:
        ASKS[name](request)
    assert fault.lower() in str(refusal.value).lower()
    assert "while" in str(refusal.value)
    assert refusal.value.__cause__ is not None


def test_what_calls_nothing_works_whatever_aws_does() -> None:
    engine, _ = on_aws("Could not connect")
    assert engine.uploads.prepare(DIGEST, NOW).url.startswith("https://")


def test_every_client_gives_up_after_bounded_time_and_tries() -> None:
    configs: list[Any] = []

    class Watched(boto3.session.Session):
        def client(self, service: str, **given: Any) -> Any:  # type: ignore[override]
            configs.append(given["config"])
            return super().client(service, **given)

    for more in ({}, {"urgent": True}, {"lazy": False}):
        parts(STAGE, session=Watched(region_name="eu-central-1", **KEYS), **more)
    assert PATIENT in configs
    for config in configs:
        tries = config.retries["total_max_attempts"]
        assert tries == 1 or (config.retries["mode"], tries <= 4) == ("standard", True)
        assert config.connect_timeout <= 2
        assert config.read_timeout <= 35
