"""The action and the resources that a request to Lambda is authorised for.

Sources: "Actions, resources, and condition keys for AWS Lambda",
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html, and
"Resources and conditions", https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html

The first lists the function, without a qualifier, as the resource of most actions, also where a
request names a version; the second says that a qualified request needs a grant on the qualified
name. Where the two leave it open, a request must be allowed on both (docs/aws-assumptions.md).
"""

from collections.abc import Sequence

_OPERATION_ACTIONS = {
    "Invoke": "InvokeFunction",
    "InvokeAsync": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}

QUALIFIED = frozenset(
    {
        "lambda:InvokeFunction",
        "lambda:GetProvisionedConcurrencyConfig",
        "lambda:PutProvisionedConcurrencyConfig",
        "lambda:DeleteProvisionedConcurrencyConfig",
    }
)
"""Actions whose documented resource is the version or the alias that the request names."""


def action_of(operation: str) -> str:
    """The name of the action, without its service, that an API operation needs."""
    return _OPERATION_ACTIONS.get(operation, operation)


def resources(action: str, function_arn: str, qualifier: str) -> Sequence[str]:
    """The ARNs on all of which ``action`` must be allowed.

    Args:
        function_arn: as the request names it, with or without a qualifier.
        qualifier: of the query, or empty.

    >>> resources("lambda:DeleteFunction", "arn:aws:lambda:r:1:function:f", "7")
    ('arn:aws:lambda:r:1:function:f:7', 'arn:aws:lambda:r:1:function:f')
    """
    parts = function_arn.split(":")
    base = ":".join(parts[:7])
    qualifier = qualifier or ":".join(parts[7:])
    if ":function:" not in function_arn or not qualifier:
        return (function_arn,)
    qualified = f"{base}:{qualifier}"
    return (qualified,) if action in QUALIFIED else (qualified, base)
