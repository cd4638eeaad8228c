"""``app.py`` as the CDK CLI runs it: alike everywhere, and one line for a mistake."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.support import CDK_JSON, Synthesised
from tests.support.checkout import ROOT


def run_app(
    folder: Path, context: dict[str, object], **environment: str
) -> subprocess.CompletedProcess[str]:
    """The app in a process of its own that knows no AWS, no user and no git."""
    node = shutil.which("node")
    assert node is not None
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env={
            "PATH": str(Path(node).parent),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps({**CDK_JSON["context"], **context}),
            **environment,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_synthesising_elsewhere_gives_the_same_templates(dev: Synthesised, tmp_path: Path) -> None:
    context = {"stage": "dev", "aws:cdk:disable-asset-staging": True}
    done = run_app(
        tmp_path, context, PYTHONHASHSEED="7", TZ="Asia/Tokyo", USER="someone", HOME=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    for stack, template in dev.templates.items():
        assert json.loads((tmp_path / f"{stack}.template.json").read_text()) == template


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"stage": "porduction"}, "stage is 'porduction', expected one of local, dev, prod"),
        (
            {"stages": {"dev": {"runtime": "python3.14"}}},
            "one of python3.11, python3.12, python3.13",
        ),
        ({"endpoints": "nowhere"}, "expected a folder with at least one */endpoint.yaml"),
    ],
)
def test_a_mistake_is_one_line_and_no_stack_trace(
    context: dict[str, object], said: str, tmp_path: Path
) -> None:
    done = run_app(tmp_path, {"stage": "dev", **context})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert not list(tmp_path.iterdir())
