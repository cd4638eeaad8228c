"""One endpoint on moto that keeps the calls the engine makes to AWS.

Adapters, boto3 and their wiring are the real ones. What moto lacks is added here: a composite
alarm, a function's revision, and what a model answers.
"""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import boto3
from botocore.exceptions import ConnectTimeoutError
from moto import mock_aws
from moto.awslambda_simple.models import lambda_simple_backends
from moto.cloudwatch.models import cloudwatch_backends

from halftone import bootstrap
from halftone.domain import names
from halftone.domain.audit import Author
from halftone.domain.rollout.evidence import BUCKET
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Margins, Plan, Stage
from halftone.domain.rollout.rollout import Rollout
from halftone.packaging.folder import build_package
from halftone.service.endpoints.policy import set_mode
from halftone.service.releases.release import ReleaseRequest, release
from halftone.service.rollouts.advance import advance
from halftone.testing import SetClock

STAGE, ENDPOINT, REGION, ACCOUNT = "bench", "fraud", "us-east-1", "123456789012"
MODEL = Path(__file__).parents[1] / "examples" / "breast-cancer" / "models" / "champion"
PLAN = Plan(
    (Stage(20.0, min_time=BUCKET, max_time=360 * BUCKET, min_requests=10),),
    bakes=False,
    errors=Margins(tolerance=5.0),
    late=Margins(tolerance=5.0),
)


@dataclass(frozen=True)
class Act:
    """One act of the engine, and the names of the API calls that it made."""

    name: str
    calls: tuple[str, ...]


class CountedStage:
    """One endpoint and its engine."""

    def __init__(self) -> None:
        self.clock = SetClock(datetime.now(UTC))
        self.calls: list[str] = []
        self.acts: list[Act] = []
        self.table_answers = True
        self.releases = 0
        session = boto3.session.Session()
        session.events.register("before-call.*.*", self._count)
        session.events.register("after-call.lambda.GetFunctionConfiguration", _add_revision)
        settings = bootstrap.Settings(STAGE, "table", "artifacts", workflow=_make_stage())
        self.ports = replace(bootstrap.ports(settings, session=session), clock=self.clock)
        self.package = build_package(MODEL)
        boto3.client("s3").put_object(Bucket="artifacts", Key="in.zip", Body=self.package.data)

    def _count(self, model: Any, **_: object) -> None:
        self.calls.append(model.name)
        if not self.table_answers and model.service_model.service_name == "dynamodb":
            raise ConnectTimeoutError(endpoint_url="the table")

    def act(self, name: str, do: Callable[[], object]) -> None:
        """Keep what ``do`` calls under ``name``."""
        self.calls.clear()
        do()
        self.acts.append(Act(name, tuple(self.calls)))

    def release(self, plan: Plan = PLAN) -> None:
        """Release the package with settings of its own, which makes it another version."""
        self.releases += 1
        request = ReleaseRequest(
            endpoint=ENDPOINT,
            bucket="artifacts",
            object_key="in.zip",
            digest=self.package.digest,
            settings=f"s{self.releases}",
            plan=plan,
            actor="ann",
            key=f"release {self.releases}",
        )
        release(self.ports, request)
        answers = lambda_simple_backends[ACCOUNT][REGION].lambda_simple_results_queue
        for sample in self.package.manifest.samples:
            body = json.dumps({"predictions": sample.as_given()["predictions"]})
            answers.append(json.dumps({"statusCode": 200, "body": body}))

    def tick(self, times: int = 1) -> None:
        """Ticks of the workflow."""
        for _ in range(times):
            advance(self.ports, ENDPOINT, None, every=timedelta(seconds=10))

    def guarded(self) -> None:
        """From now on the champion stands in front of a challenger."""
        set_mode(self.ports, ENDPOINT, "guarded", author=Author("ann", "no failed request"))

    def observed(self) -> None:
        """Release a challenger, and bring it to its first share."""
        self.release()
        self.tick(2)
        self.must_be(Phase.OBSERVING)

    def traffic(self, errors: float = 0.0) -> None:
        """Six buckets of requests to both versions; the challenger's fail at the rate given."""
        rollout = self.rollout()
        # As many to each as its share of 20 % makes likely: what gets another share is held.
        counts = {rollout.challenger: 25, rollout.champion: 100}
        for _ in range(6):
            for version, requests in counts.items():
                failing = requests * errors if version == rollout.challenger else 0
                self._put_requests(str(version), requests, failing)
            self.clock.pass_by(BUCKET)
        self.clock.pass_by(timedelta(seconds=60))

    def _put_requests(self, version: str, requests: int, failing: float) -> None:
        dimensions = [
            {"Name": "Endpoint", "Value": ENDPOINT},
            {"Name": "Version", "Value": version},
        ]
        data: list[Any] = [
            {
                "MetricName": metric,
                "Dimensions": dimensions,
                "Timestamp": self.clock.now(),
                "Value": float(metric == "Errors" and request < failing),
            }
            for metric in ("Errors", "Late")
            for request in range(requests)
        ]
        boto3.client("cloudwatch").put_metric_data(Namespace=names.NAMESPACE, MetricData=data)

    def alarm(self, state: Literal["ALARM", "OK"] = "ALARM") -> None:
        """What CloudWatch does when the challenger breaches: metric alarms, then the composite."""
        kinds = sorted(names.GUARDRAIL_CONDITIONS[0])
        metric = [names.metric_alarm_name(STAGE, ENDPOINT, kind) for kind in kinds]
        for name in (*metric, names.guardrail_name(STAGE, ENDPOINT)):
            boto3.client("cloudwatch").set_alarm_state(
                AlarmName=name, StateValue=state, StateReason="red"
            )

    def must_be(self, phase: Phase) -> None:
        """Make sure that the acts do what their names say."""
        if self.rollout().phase is not phase:
            raise AssertionError(f"not {phase}: {self.rollout()}")

    def rollout(self) -> Rollout:
        """The newest rollout."""
        state = self.ports.store.load(ENDPOINT)
        if state is None or state.rollout is None:
            raise LookupError(f"{ENDPOINT} was never released to")
        return state.rollout


@contextmanager
def moto() -> Iterator[None]:
    """An AWS of this process alone."""
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with (
        mock.patch.dict(os.environ, {**account, "AWS_DEFAULT_REGION": REGION}),
        mock_aws(config={"lambda": {"use_docker": False}}),
    ):
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            os.environ.pop(name, None)
        yield


def _make_stage() -> str:
    """What the templates make, as far as the engine meets it; the workflow's ARN."""
    boto3.client("s3").create_bucket(Bucket="artifacts")
    boto3.client("dynamodb").create_table(
        TableName="table",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    role = boto3.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    functions, name = boto3.client("lambda"), names.function_name(STAGE, ENDPOINT)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="handler.handler",
        Code={"ZipFile": _empty_zip()},
    )
    for alias in (names.ALIAS, names.CHALLENGER):
        functions.create_alias(FunctionName=name, Name=alias, FunctionVersion="$LATEST")
    for kind in names.GUARDRAIL_ALARMS:
        boto3.client("cloudwatch").put_metric_alarm(
            AlarmName=names.metric_alarm_name(STAGE, ENDPOINT, kind),
            Namespace=names.NAMESPACE,
            MetricName=kind,
            Dimensions=[
                {"Name": "Version", "Value": "none"},
                *(_platform(name) if kind.startswith("crashes") else []),
            ],
            Statistic="Average",
            Period=10,
            EvaluationPeriods=1,
            Threshold=0.05,
            ComparisonOperator="GreaterThanThreshold",
        )
    _put_composite_alarm(names.guardrail_name(STAGE, ENDPOINT))
    machine = boto3.client("stepfunctions").create_state_machine(
        name="rollout",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn=role["Role"]["Arn"],
    )
    return str(machine["stateMachineArn"])


def _platform(function: str) -> list[Any]:
    return [{"Name": "Resource", "Value": f"{function}:{names.ALIAS}"}]


def _add_revision(parsed: dict[str, Any], **_: object) -> None:
    parsed.setdefault("RevisionId", "moto has none here")


def _put_composite_alarm(name: str) -> None:
    cloudwatch_backends[ACCOUNT][REGION].put_metric_alarm(
        name=name,
        namespace="",
        metric_name="",
        comparison_operator="",
        evaluation_periods=1,
        period=10,
        threshold=1.0,
        statistic="",
        description="",
        dimensions=[],
        alarm_actions=[],
        rule="ALARM(any)",
    )
    cloudwatch_backends[ACCOUNT][REGION].set_alarm_state(name, "new", "{}", "OK")


def _empty_zip() -> bytes:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return buffer.getvalue()
