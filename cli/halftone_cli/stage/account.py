"""What ``halftone doctor`` reads of an AWS account, one call a question. Reads only."""

from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import PATIENT, error_code, translated
from halftone.domain.names import alarm_rule_name, tick_rule_name
from halftone_cli.stage.aws import caller, identified, stage_outputs

if TYPE_CHECKING:
    from boto3.session import Session

TOOLKIT = "CDKToolkit"
"""The stack that ``cdk bootstrap`` makes, unless somebody called it otherwise."""


class Account:
    """An account and region as ``session`` reaches them, and one stage in it."""

    def __init__(self, session: "Session", stage: str, *, deploy: str) -> None:
        self._stage = stage
        self._deploy = deploy
        with identified():
            self._sts = session.client("sts", config=PATIENT)
            self._cloudformation = session.client("cloudformation", config=PATIENT)
            self._sqs = session.client("sqs", config=PATIENT)
            self._events = session.client("events", config=PATIENT)

    def caller(self) -> str:
        """The ARN of whose credentials these are."""
        return caller(self._sts)

    def bootstrap_version(self) -> int | None:
        """The version of the CDK's bootstrap stack; None if there is none."""
        try:
            with identified():
                stack = self._cloudformation.describe_stacks(StackName=TOOLKIT)["Stacks"][0]
        except ClientError as error:
            if error_code(error) == "ValidationError":
                return None
            with translated("looking for the CDK's bootstrap stack"):
                raise
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        version = outputs.get("BootstrapVersion", "")
        return int(version) if version.isdecimal() else None

    def outputs(self) -> dict[str, str]:
        """The outputs of the stage's platform stack.

        Raises:
            NotFound: if it is not deployed.
        """
        return stage_outputs(self._cloudformation, self._stage, deploy=self._deploy)

    def dead_letters(self, queue: str) -> int:
        """How many messages lie in a dead-letter queue."""
        name: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
        with translated("counting the dead letters"), identified():
            answer = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def scheduled(self, endpoint: str) -> bool:
        """Whether the rule is on that reconciles the endpoint every minute."""
        return self._rule_is_on(tick_rule_name(self._stage, endpoint))

    def heard(self) -> bool:
        """Whether the rule is on that has a rollout ended when its guardrail is in alarm."""
        return self._rule_is_on(alarm_rule_name(self._stage))

    def _rule_is_on(self, rule: str) -> bool:
        try:
            with identified():
                return self._events.describe_rule(Name=rule)["State"] == "ENABLED"
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return False
            with translated(f"reading the rule {rule}"):
                raise
