"""A deploy that fails ends with its reason: what a person reads last is not a stack trace."""

import sys

import pytest

from tools.cdk import reasons, run

CUSTOM = """\
halftone-dev-fraud | 12:00:01 | CREATE_FAILED        | Custom::Release | Endpoint/Release \
Received response status [FAILED] from custom resource. Message returned: Error: plan.steps[0] \
is 5, expected a mapping

Logs: /aws/lambda/halftone-dev-release

    at invokeUserFunction (/var/task/framework.js:2:6)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
    at async onEvent (/var/task/framework.js:1:369) (RequestId: 1b2c)

 ❌  halftone-dev-fraud failed: ToolkitError: The stack named halftone-dev-fraud failed to deploy: \
UPDATE_ROLLBACK_COMPLETE: Received response status [FAILED] from custom resource. Message \
returned: Error: plan.steps[0] is 5, expected a mapping
    at FullCloudFormationDeployment.monitorDeployment (/node_modules/aws-cdk/lib/index.js:1:2)
"""
EVENT = """\
halftone-dev-platform | 1/9 | 12:00:01 | CREATE_FAILED        | \
AWS::S3::Bucket | Artifacts (Artifacts1A2B) \
The bucket halftone-dev exists already
 ❌  halftone-dev-platform failed: _ToolkitError: The stack named halftone-dev-platform failed
    at Object.deployStack (/node_modules/aws-cdk/lib/index.js:1:2)
"""
TOOLKIT = """\
 ❌  halftone-dev-fraud failed: ToolkitError: Need to perform AWS calls for account 1, but no \
credentials have been configured
    at f (/x.js:1:2)

Node.js v20.19.2
"""
SYNTH = """\
error: endpoint.yaml: auth_mode is 'key', expected no such field (did you mean access?)
.venv/bin/python app.py: Subprocess exited with error 1
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CUSTOM, ["plan.steps[0] is 5, expected a mapping"]),
        (EVENT, ["The bucket halftone-dev exists already"]),
        (
            TOOLKIT,
            ["Need to perform AWS calls for account 1, but no credentials have been configured"],
        ),
        (
            SYNTH,
            ["endpoint.yaml: auth_mode is 'key', expected no such field (did you mean access?)"],
        ),
        ("all went well\n", []),
    ],
)
def test_the_reason_is_the_cause_without_frames(text, expected):
    assert reasons(text.splitlines(keepends=True)) == expected


@pytest.mark.parametrize("text", [CUSTOM, EVENT, TOOLKIT, SYNTH])
def test_a_run_that_fails_ends_with_the_reason(tmp_path, capfd, text):
    script = tmp_path / "cdk.py"
    script.write_text(f"import sys\nsys.stderr.write({text!r})\nsys.exit(1)\n", encoding="utf-8")
    assert run([sys.executable, str(script)]) == 1
    err = capfd.readouterr().err
    assert err.splitlines()[-1] == f"error: {reasons(text.splitlines())[-1]}"
    assert "    at " not in err
    assert "Logs: " not in err


def test_a_run_that_succeeds_says_nothing_more(tmp_path, capfd):
    script = tmp_path / "cdk.py"
    script.write_text("import sys\nsys.stderr.write('done\\n')\n")
    assert run([sys.executable, str(script)]) == 0
    assert capfd.readouterr().err == "done\n"
