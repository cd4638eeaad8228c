"""The stage's CDK app as its owner changes it: one context value for each change.

``broken``: the stack of that endpoint has a resource, made after the release, that fails.
``moved``: the release of that endpoint has another logical id, as after a rename of a construct.
"""

from aws_cdk import App, CfnResource, Stack

from demo.cloud import ROOT
from halftone.domain.names import endpoint_stack_name
from halftone_cdk import stacks

NOBODY = "arn:aws:lambda:us-east-1:123456789012:function:there-is-no-such-function"


def main() -> None:
    """Synthesise."""
    app = App()
    stacks(app, ROOT)
    broken, moved = app.node.try_get_context("broken"), app.node.try_get_context("moved")
    if broken:
        stack, release = _endpoint(app, broken)
        fails = CfnResource(
            stack, "Broken", type="Custom::Broken", properties={"ServiceToken": NOBODY}
        )
        fails.add_dependency(release)
    if moved:
        _endpoint(app, moved)[1].override_logical_id("MovedRelease")
    app.synth()


def _endpoint(app: App, name: str) -> tuple[Stack, CfnResource]:
    """The stack of an endpoint, and the release in it."""
    stack = app.node.find_child(endpoint_stack_name("local", name))
    assert isinstance(stack, Stack)
    for child in stack.node.find_all():
        if isinstance(child, CfnResource) and child.cfn_resource_type == "Custom::Release":
            return stack, child
    raise AssertionError(f"{name} has no release")


if __name__ == "__main__":
    main()
