"""A function with published versions and two aliases, as the endpoint's stack makes it."""

import io
import json
import zipfile
from typing import Any

from halftone.domain.names import ALIAS, CHALLENGER, function_name

NAME = function_name("dev", "fraud")


def deploy(aws: Any) -> Any:
    """Create the function with its aliases on $LATEST; answers the Lambda client."""
    role = aws("iam").create_role(
        RoleName="model",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "")
    client = aws("lambda")
    # moto's functions have no revisions; Lambda's always do.
    client.meta.events.register(
        "after-call.lambda.GetFunctionConfiguration",
        lambda parsed, **_: parsed.setdefault("RevisionId", "any"),
    )
    client.create_function(
        FunctionName=NAME,
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"HALFTONE_ENDPOINT": "fraud"}},
    )
    for alias in (ALIAS, CHALLENGER):
        client.create_alias(FunctionName=NAME, Name=alias, FunctionVersion="$LATEST")
    return client


def variables(client: Any, version: str = "$LATEST") -> dict[str, str]:
    """The environment of one version of the function."""
    configuration = client.get_function_configuration(FunctionName=NAME, Qualifier=version)
    return dict(configuration["Environment"]["Variables"])
