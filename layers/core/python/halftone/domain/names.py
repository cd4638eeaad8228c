"""Names that more than one part must agree on: infrastructure, engine, model server, CLI.

Names are functions of stage and endpoint, so that no part has to look up what another made.
"""

import re

from halftone.domain.errors import InvalidInput

ALIAS = "live"
"""The Lambda alias that takes an endpoint's requests."""

CHALLENGER = "challenger"
"""The alias by which a front passes requests on. Without a challenger it is the champion's."""

NAMESPACE = "Halftone"
"""The CloudWatch namespace of all metrics that Halftone emits."""

PROOF = "ProofOfRegression"
"""The metric of the evidence against a challenger: its e-value in units of what proves it."""


def feedback_cohort(stage: int) -> str:
    """The cohort of the feedback on requests that a stage of the rollout drew."""
    return f"feedback-{stage}"


GUARDRAIL_ALARMS = (
    "errors-rate",
    "errors-count",
    "late-rate",
    "late-count",
    "crashes-rate",
    "crashes-count",
    "proof",
)
"""An endpoint's metric alarms. Each pair of rate and count is one condition of the
guardrail, and so is the proof that the comparison found."""

GUARDRAIL_CONDITIONS = (
    frozenset({"errors-rate", "errors-count"}),
    frozenset({"late-rate", "late-count"}),
    frozenset({"crashes-rate", "crashes-count"}),
    frozenset({"proof"}),
)
"""The guardrail is in alarm where all alarms of one condition are: the composite alarm's rule."""

_RESERVED = "guardrail"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def checked_name(field: str, value: object) -> str:
    """``value`` if it can name an endpoint or a stage.

    Raises:
        InvalidInput: otherwise.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value) or len(value) > 32:
        # YAML reads a bare no as false, and 1.0 as a number.
        quoted = "" if value is None or isinstance(value, str) else ", in quotes"
        raise InvalidInput(field, value, f"1 to 32 of a-z, 0-9 and single inner hyphens{quoted}")
    if value == _RESERVED:
        raise InvalidInput(field, value, "another name: its alarms would pass for guardrails")
    return value


def function_name(stage: str, endpoint: str) -> str:
    """The endpoint's model function."""
    return f"halftone-{stage}-{endpoint}"


def log_group_name(stage: str, endpoint: str) -> str:
    """The log group of the endpoint's model function."""
    return f"/aws/lambda/{function_name(stage, endpoint)}"


def metric_alarm_name(stage: str, endpoint: str, kind: str) -> str:
    """One of an endpoint's metric alarms; ``kind`` is one of GUARDRAIL_ALARMS."""
    return f"{function_name(stage, endpoint)}--{kind}"


def guardrail_prefix(stage: str) -> str:
    """What the names of all guardrails of a stage begin with: the event rule matches on it."""
    return f"halftone-{stage}-{_RESERVED}--"


def guardrail_name(stage: str, endpoint: str) -> str:
    """The composite alarm that ends an endpoint's rollout."""
    return f"{guardrail_prefix(stage)}{endpoint}"


def alarm_rule_name(stage: str) -> str:
    """The EventBridge rule that hands a stage's guardrails in alarm to the rollback function."""
    return f"halftone-{stage}-guardrails"


def tick_rule_name(stage: str, endpoint: str) -> str:
    """The EventBridge rule that reconciles an endpoint every minute."""
    return f"{function_name(stage, endpoint)}-tick"


def package_key(digest: str) -> str:
    """Where the artifact bucket keeps a package's zip."""
    return f"packages/{digest}.zip"


def environment_key(digest: str) -> str:
    """Where the artifact bucket keeps an environment's zip."""
    return f"packages/environments/{digest}.zip"


def manifest_key(digest: str) -> str:
    """Where the artifact bucket keeps a package's manifest, readable without the zip."""
    return f"packages/{digest}.json"


def platform_stack_name(stage: str) -> str:
    """The CloudFormation stack of what all endpoints of a stage share."""
    return f"halftone-{stage}"


def endpoint_stack_name(stage: str, endpoint: str) -> str:
    """The CloudFormation stack of one endpoint."""
    return f"halftone-{stage}-{endpoint}"


def upload_key(digest: str) -> str:
    """Where the artifact bucket takes a package's zip in, before it is released."""
    return f"uploads/{digest}.zip"
