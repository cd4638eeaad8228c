"""The one place where real parts meet use cases, and the only one that reads the environment."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property, partial
from typing import Any, Generic, TypeVar, cast

import boto3
from botocore.config import Config

from halftone.adapters.aws.clients import INVOKE, PATIENT, SIGNING, URGENT, translated
from halftone.adapters.aws.cloudwatch_alarms import CloudWatchGuardrails
from halftone.adapters.aws.cloudwatch_charts import CloudWatchCharts
from halftone.adapters.aws.cloudwatch_logs import CloudWatchLogs
from halftone.adapters.aws.cloudwatch_metrics import CloudWatchKeyMetrics, CloudWatchMetrics
from halftone.adapters.aws.dynamodb.control import DynamoGroups, DynamoIdempotencyStore
from halftone.adapters.aws.dynamodb.keys import DynamoKeys
from halftone.adapters.aws.dynamodb.registry import DynamoRegistry
from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.adapters.aws.dynamodb.subscriptions import DynamoSubscriptions
from halftone.adapters.aws.http_api import HttpGate
from halftone.adapters.aws.lambda_aliases import LambdaAliases
from halftone.adapters.aws.lambda_concurrency import LambdaScaling
from halftone.adapters.aws.lambda_versions import LambdaVersions
from halftone.adapters.aws.s3 import S3Files, S3Packages, S3Uploads
from halftone.adapters.aws.stacks import CloudFormationStacks
from halftone.adapters.aws.step_functions import StepFunctionsWorkflow
from halftone.adapters.clock import SystemClock
from halftone.domain.insight.sticky_keys import FOLLOWED
from halftone.ports import Ports
from halftone.ports.capture import CapturePorts
from halftone.ports.notices import NoticePorts

_T = TypeVar("_T")


@dataclass(frozen=True)
class Settings:
    """What a function or a command must be told about the stage it works on."""

    stage: str
    table: str
    artifacts: str
    workflow: str = ""
    api: str = ""
    tick: timedelta = timedelta(seconds=10)
    metric_lag: timedelta = timedelta(seconds=30)
    key_lag: timedelta = timedelta(seconds=60)
    self_approval: bool = False
    webhook_hosts: tuple[str, ...] = ()
    user_pool: str = ""
    identity_pool: str = ""


@cache
def settings() -> Settings:
    """The settings in the environment that the stacks give to each function.

    Raises:
        KeyError: naming the variable that is missing.
    """
    return Settings(
        stage=os.environ["HALFTONE_STAGE"],
        table=os.environ["HALFTONE_TABLE"],
        artifacts=os.environ["HALFTONE_ARTIFACTS"],
        workflow=os.environ.get("HALFTONE_WORKFLOW", ""),
        api=os.environ.get("HALFTONE_API", ""),
        tick=timedelta(seconds=float(os.environ.get("HALFTONE_TICK_SECONDS", "10"))),
        metric_lag=timedelta(seconds=float(os.environ.get("HALFTONE_METRIC_LAG_SECONDS", "30"))),
        key_lag=timedelta(seconds=float(os.environ.get("HALFTONE_KEY_LAG_SECONDS", "60")))
        + _followed(),
        self_approval=os.environ.get("HALFTONE_SELF_APPROVAL", "") == "true",
        webhook_hosts=_webhook_hosts(),
        user_pool=os.environ.get("HALFTONE_USER_POOL", ""),
        identity_pool=os.environ.get("HALFTONE_IDENTITY_POOL", ""),
    )


@dataclass(frozen=True)
class CaptureSettings:
    """What the harvest must be told: its stage, the table, and the bucket of the captures.

    ``followed`` is how long a key counts as failed if it fails after it was first seen.
    """

    stage: str
    table: str
    captures: str
    followed: timedelta = FOLLOWED


@cache
def capture_settings() -> CaptureSettings:
    """The harvest's settings in the environment.

    Raises:
        KeyError: naming the variable that is missing.
    """
    return CaptureSettings(
        stage=os.environ["HALFTONE_STAGE"],
        table=os.environ["HALFTONE_TABLE"],
        captures=os.environ["HALFTONE_CAPTURES"],
        followed=_followed(),
    )


def _followed() -> timedelta:
    """How long keys of sticky routing are followed before they are read."""
    usual = f"{FOLLOWED.total_seconds():.0f}"
    return timedelta(seconds=float(os.environ.get("HALFTONE_KEY_FOLLOW_SECONDS", usual)))


def capture_ports(settings: CaptureSettings) -> CapturePorts:
    """The harvest's ports on AWS, with the caller's own credentials."""
    session = boto3.session.Session()
    return CapturePorts(
        files=S3Files(session.client("s3", config=PATIENT), settings.captures),
        keys=DynamoKeys(
            session.client("dynamodb", config=PATIENT), settings.table, followed=settings.followed
        ),
        metrics=CloudWatchKeyMetrics(session.client("cloudwatch", config=PATIENT)),
    )


@dataclass(frozen=True)
class NoticeSettings:
    """What the notices' functions must be told; ``hosts`` are allowed besides public ones."""

    stage: str
    table: str
    bus: str
    queue: str
    hosts: tuple[str, ...] = ()


@cache
def notice_settings() -> NoticeSettings:
    """The settings of the notices' functions in the environment.

    Raises:
        KeyError: naming the variable that is missing.
    """
    return NoticeSettings(
        stage=os.environ["HALFTONE_STAGE"],
        table=os.environ["HALFTONE_TABLE"],
        bus=os.environ["HALFTONE_BUS"],
        queue=os.environ["HALFTONE_NOTICES"],
        hosts=_webhook_hosts(),
    )


def _webhook_hosts() -> tuple[str, ...]:
    return tuple(os.environ.get("HALFTONE_WEBHOOK_HOSTS", "").split())


def notice_ports(settings: NoticeSettings) -> NoticePorts:
    """The ports of the notices' functions on AWS, with the caller's own credentials."""
    # Here, because no other function needs TLS of its own.
    from halftone.adapters.aws.notice_sender import NoticeSender  # noqa: PLC0415
    from halftone.adapters.aws.notices import NoticeBus, NoticeQueue  # noqa: PLC0415

    session = boto3.session.Session()
    table = session.client("dynamodb", config=PATIENT)
    subscriptions = DynamoSubscriptions(table, settings.table)
    return NoticePorts(
        stage=settings.stage,
        clock=SystemClock(),
        store=DynamoStore(table, settings.table),
        subscriptions=subscriptions,
        undelivered=subscriptions,
        bus=NoticeBus(session.client("events", config=PATIENT), settings.bus),
        queue=NoticeQueue(session.client("sqs", config=PATIENT), settings.queue),
        sender=NoticeSender(session.client("sns", config=PATIENT), settings.hosts),
    )


def ports(
    settings: Settings,
    *,
    urgent: bool = False,
    lazy: bool | None = None,
    session: boto3.session.Session | None = None,
) -> Ports:
    """All ports on AWS, with the caller's own credentials.

    ``urgent`` gives up on the table within a second, for rollbacks. ``lazy`` makes all clients but
    the table's when they are first needed; False none of them; None those that no tick needs.
    ``session`` is for callers that want to see the calls.
    """
    session = session or boto3.session.Session()
    client: Any = partial(_client, session, lazy or False)
    seldom: Any = partial(_client, session, lazy is not False)
    functions = client("lambda", PATIENT)
    invoker = client("lambda", INVOKE)
    table = session.client("dynamodb", config=URGENT if urgent else PATIENT)
    cloudwatch = client("cloudwatch", PATIENT)
    store, registry = DynamoStore(table, settings.table), DynamoRegistry(table, settings.table)
    bucket = client("s3", SIGNING)
    subscriptions = DynamoSubscriptions(table, settings.table)
    return Ports(
        clock=SystemClock(),
        store=store,
        catalogue=store,
        evidence=store,
        rollout_history=store,
        aliases=LambdaAliases(functions, settings.stage),
        versions=LambdaVersions(functions, invoker, settings.stage),
        guardrails=CloudWatchGuardrails(cloudwatch, settings.stage),
        metrics=CloudWatchMetrics(cloudwatch),
        packages=S3Packages(bucket, settings.artifacts),
        workflow=StepFunctionsWorkflow(client("stepfunctions", PATIENT), settings.workflow),
        registry=registry,
        registry_pages=registry,
        logs=CloudWatchLogs(seldom("logs", PATIENT), settings.stage),
        charts=CloudWatchCharts(cloudwatch),
        scaling=LambdaScaling(functions, settings.stage),
        gate=HttpGate(seldom("apigatewayv2", PATIENT), settings.api),
        claims=DynamoIdempotencyStore(table, settings.table),
        groups=DynamoGroups(table, settings.table),
        uploads=S3Uploads(bucket, settings.artifacts),
        subscriptions=subscriptions,
        undelivered=subscriptions,
        # Deploys alone ask CloudFormation: no snapshot of another function need hold its client.
        stacks=CloudFormationStacks(cast("Any", _client(session, True, "cloudformation", PATIENT))),
        metric_lag=settings.metric_lag,
        key_lag=settings.key_lag,
    )


def snapped() -> bool:
    """Whether this process is being started for a snapshot, from which others will be restored.

    What it draws at random or learns of the time is the same in all of them; clients ask for
    credentials again when theirs are old.
    """
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def caller() -> str:
    """The ARN of whoever's credentials this process has.

    Raises:
        Unavailable: if there are none, or AWS does not know them.
    """
    with translated("asking whose credentials these are"):
        return str(boto3.client("sts", config=PATIENT).get_caller_identity()["Arn"])


def _client(session: Any, lazy: bool, service: str, config: Config) -> object:
    def make() -> object:
        return session.client(service, config=config)

    return _at_first_use(make) if lazy else make()


class _Later(Generic[_T]):
    """Stands for a part that is made when its first method is asked for."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make

    @cached_property
    def _part(self) -> _T:
        return self._make()

    def __getattr__(self, name: str) -> object:
        return getattr(self._part, name)


def _at_first_use(make: Callable[[], _T]) -> _T:
    """A client costs 30 to 90 ms to make: a rollback does not wait for those it has no use for."""
    return cast(_T, _Later(make))
