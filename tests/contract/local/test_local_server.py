"""The server as a process: it starts once, explains a failed start, and leaves nothing behind."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest

from halftone_local import installation, pins, supervisor
from halftone_local.machine import free_port
from halftone_local.supervisor import LocalAws, LocalAwsError, running, start
from tests.contract.local.support import ROLE, Function, eventually, make_role
from tests.support.checkout import ROOT

PATH = os.pathsep.join(filter(None, sys.path))


def commands(pattern):
    """The processes whose command line matches."""
    listed = subprocess.run(
        ["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if re.search(pattern, line)]


def by_hand(command, port):
    """``python -m halftone_local COMMAND``, as from a shell: exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "halftone_local", command, "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_up_is_idempotent_and_down_ends_the_workers_too():
    port = free_port()
    assert by_hand("status", port)[0] == 1
    code, told = by_hand("up", port)
    server = running(port)
    try:
        assert code == 0
        assert by_hand("up", port) == (0, told)
        assert running(port) == server
        environment = server.environment()
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )

        def client(service):
            return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])

        make_role(client("iam"), ROLE.rpartition("/")[2])
        source = "def handler(event, context): return 1"
        assert Function(client, "worked", [source]).invoke()["Payload"] == 1
        assert commands(f"{server.scratch}.*_worker.py")
        assert by_hand("status", port)[0] == 0
        assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n" in by_hand("env", port)[1]
    finally:
        assert by_hand("down", port)[0] == 0
    assert not commands(f"{server.scratch}.*_worker.py")
    assert running(port) is None
    assert not server.healthy()
    assert not server.scratch.exists()
    assert by_hand("down", port)[0] == 0


def halftone(*words):
    """``halftone local WORDS``, as from a shell: exit code, and its JSON or its error."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("halftone")), "local", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_the_command_starts_shows_and_stops_it():
    page = (ROOT / "docs" / "cli.md").read_text()
    shown = json.loads(re.search(r"<!-- json: local -->\n```json\n(.*?)```", page, re.DOTALL)[1])
    port = str(free_port())
    assert halftone("status", "--port", port)[0] == 3
    code, told = halftone("up", "--port", port)
    try:
        assert code == 0
        assert told.keys() == shown.keys()
        assert halftone("up", "--port", port) == (0, told)
        assert halftone("status", "--port", port) == (0, {**told, "ready": True})
        variables = halftone("env", "--port", port)[1]
        assert variables["AWS_ENDPOINT_URL"] == told["url"]
        assert variables["HALFTONE_LOCAL_PORT"] == port
    finally:
        assert halftone("down", "--port", port) == (0, {"port": int(port), "stopped": True})
    assert halftone("down", "--port", port) == (0, {"port": int(port), "stopped": False})
    code, message = halftone("env", "--port", port)
    assert code == 3
    assert "start it with `halftone local up`" in message


def test_a_server_that_is_not_detached_ends_with_its_starter():
    code = """
import os
from halftone_local.supervisor import start
print(start().port, flush=True)
os._exit(1)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    port = int(ended.stdout)
    left = LocalAws(port=port, pid=0)
    assert left.state.exists()
    eventually(lambda: running(port) is None, seconds=15)
    start().stop()  # the next start tidies up
    assert not left.state.exists()
    assert not left.scratch.exists()


def test_a_used_port_is_refused_by_number(aws):
    with pytest.raises(LocalAwsError, match=str(aws.port)):
        start(aws.port)


def test_without_its_environment_it_names_the_command_for_it(monkeypatch):
    monkeypatch.setattr(supervisor, "PYTHON", Path("/nowhere/python"))
    with pytest.raises(LocalAwsError, match="make setup"):
        start()


def test_another_ministack_is_refused_with_both_versions(monkeypatch):
    monkeypatch.setattr(installation, "MINISTACK_VERSION", "9.9.9")
    with pytest.raises(LocalAwsError, match=rf"{re.escape(pins.MINISTACK_VERSION)}, .* 9\.9\.9"):
        start()


def test_the_server_itself_refuses_another_release():
    code = "from halftone_local import server; server.MINISTACK_VERSION = '9.9.9'; server.main()"
    refused = subprocess.run(
        [str(supervisor.PYTHON), "-c", code],
        env={"PYTHONPATH": str(ROOT / "local")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "ministack 9.9.9 is required" in refused.stderr
    assert pins.MINISTACK_VERSION in refused.stderr


def test_a_failed_start_shows_the_end_of_the_log(monkeypatch, tmp_path):
    broken = tmp_path / "python"
    broken.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = -c ] && echo {pins.MINISTACK_VERSION} && exit 0\n'
        "echo 'no such seam' && exit 3\n"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(supervisor, "PYTHON", broken)
    began = time.monotonic()
    with pytest.raises(LocalAwsError, match=r"status 3[\s\S]*no such seam"):
        start()
    assert time.monotonic() - began < 5


def test_the_pin_is_the_one_that_is_installed():
    wanted = (ROOT / "requirements" / "local.in").read_text().splitlines()
    assert f"ministack=={pins.MINISTACK_VERSION}" in wanted
