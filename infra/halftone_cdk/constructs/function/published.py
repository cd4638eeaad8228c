"""A function's published version behind an alias, both CloudFormation's own.

Not for model functions: their versions are published by the rollout engine.
"""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Annotations
from aws_cdk import aws_lambda as lambda_

from halftone.domain.names import ALIAS
from halftone_cdk.constructs.function.frozen_settings import frozen_settings
from halftone_cdk.layers.build import Layer


def published(function: lambda_.Function, name: str, layers: Sequence[Layer]) -> lambda_.Alias:
    """The alias ``live`` of a version that is published anew whenever the function changes.

    CloudFormation changes no version, so one of other settings must have another id: ``name`` and
    their digest. Lambda publishes nothing where nothing changed, which CloudFormation takes for an
    error: so the digest stands in the function's description, too, and both change together.
    """
    resource = cast("lambda_.CfnFunction", function.node.default_child)
    # An override is no part of what the digest is taken of.
    described = f"{resource.description} ({{:.16}})"
    resource.add_property_override("Description", frozen_settings(resource, layers, described))
    version = lambda_.Version(function, "Version", lambda_=function)
    cfn_version = cast("lambda_.CfnVersion", version.node.default_child)
    cfn_version.override_logical_id(frozen_settings(resource, layers, f"{name}Version{{:.16}}"))
    Annotations.of(function).acknowledge_warning(
        "@aws-cdk/aws-lambda:snapStartRequirePublish", "the version stands beside it"
    )
    return lambda_.Alias(function, "Live", alias_name=ALIAS, version=version)
