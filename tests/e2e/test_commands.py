"""The ``halftone`` command against a deployed stage, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.support import Stage


def halftone(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command against the tier's local AWS."""
    command = Path(sys.executable).with_name("halftone")
    return subprocess.run(
        [str(command), "--local", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HALFTONE_LOCAL_PORT": str(stage.cloud.aws.port)},
    )


def test_a_stage_is_seen_called_and_verified_from_a_terminal(stage: Stage) -> None:
    status = json.loads(halftone(stage, "status", "digits", "--json").stdout)
    assert "digits" in json.dumps(status)

    called = halftone(stage, "invoke", "digits", "--count", "3")
    assert called.returncode == 0, called.stderr

    history = halftone(stage, "history", "digits")
    assert "promoted" in history.stdout

    verified = halftone(stage, "audit", "verify", "digits")
    assert verified.returncode == 0, verified.stderr


def test_mistakes_are_one_line_with_a_remedy_and_an_exit_code(stage: Stage) -> None:
    unknown = halftone(stage, "status", "no-such-endpoint")
    assert unknown.returncode == 3
    assert len(unknown.stderr.strip().splitlines()) == 1

    nothing = halftone(stage, "rollback", "digits", "--yes")
    assert nothing.returncode == 4
    assert "digits" in nothing.stderr
