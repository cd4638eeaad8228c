"""The stage's CDK app as its owner changes it: one context value for each change.

``broken``: the stack of that endpoint has a resource, made after the release, that fails.
``moved``: the release of that endpoint has another logical id, as after a rename of a construct.
"""

from aws_cdk import App, CfnCustomResource, CfnResource, Stack

from demo.cloud import ROOT
from halftone.domain.names import endpoint_stack_name
from halftone_cdk import stacks

NOBODY = "arn:aws:lambda:us-east-1:123456789012:function:there-is-no-such-function"


def main() -> None:
    """Synthesise."""
    app = App()
    stacks(app, ROOT)
    for name in (app.node.try_get_context("broken"), app.node.try_get_context("moved")):
        if not name:
            continue
        stack = app.node.find_child(endpoint_stack_name("local", name))
        assert isinstance(stack, Stack)
        release = next(
            child
            for child in stack.node.find_all()
            if isinstance(child, CfnCustomResource | CfnResource)
            and child.cfn_resource_type == "Custom::Release"
        )
        if name == app.node.try_get_context("moved"):
            release.override_logical_id("MovedRelease")
        if name == app.node.try_get_context("broken"):
            broken = CfnResource(
                stack, "Broken", type="Custom::Broken", properties={"ServiceToken": NOBODY}
            )
            broken.add_dependency(release)
    app.synth()


if __name__ == "__main__":
    main()
