"""Runs the CDK CLI, and ends a failure with its reason instead of Node's stack traces.

Usage: ``python tools/cdk.py deploy --all ...``: the words of ``cdk``. What it writes to stderr is
passed on without the frames of stack traces. If it fails, the last lines say why: what
CloudFormation and Halftone's own functions answered. The exit code is CDK's. A deploy says whose
it is (context ``deployer``), for the record.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
CDK = str(ROOT / "node_modules" / ".bin" / "cdk")

_FRAME = re.compile(r"^\s*(at .+|at$|\^+$|Node\.js v\d.*|node:internal.*)$")
_LOGS = re.compile(r"^\s*Logs: /aws/lambda/")
_CAUSES = (
    re.compile(r"Message returned: (?:Error: )?(?P<why>.+)"),
    re.compile(r"\b(?:CREATE|UPDATE|DELETE)_FAILED\b.*\|\s*[\w/]+(?:\s+\(\w+\))?\s+(?P<why>.+\S)"),
    re.compile(r"❌ +(?P<why>.+)"),
    re.compile(r"^(?:\w*Error|error): (?P<why>.+)"),
)
"""What tells why, the nearest to the cause first."""
_NOISE = re.compile(r"\s*\((?:RequestToken|Service|Request ID|SDK Attempt)[^)]*\)")
_WRAPPED = re.compile(r"^(?:[\w.-]+ failed: )?(?:\w+Error: )+")


def is_frame(line: str) -> bool:
    """Whether a line is a frame of a stack trace, or says where the function's log is."""
    return bool(_FRAME.match(line) or _LOGS.match(line))


def reasons(lines: Iterable[str]) -> list[str]:
    """Why a run failed, by what it wrote: each cause once, in order; [] if nothing tells."""
    kept = [line.rstrip() for line in lines if not is_frame(line)]
    for cause in _CAUSES:
        matches = [match["why"] for line in kept if (match := cause.search(line))]
        if matches:
            return list(dict.fromkeys(map(_shortened, matches)))
    return []


def _shortened(why: str) -> str:
    text = _WRAPPED.sub("", _NOISE.sub("", why)).strip()
    python = re.match(r"^(?:[a-z_]+\.)+(?P<kind>[A-Z]\w+): (?P<text>.+)$", text)
    return (python["text"] if python else text)[:500]


def run(command: Sequence[str]) -> int:
    """Run ``command``; stdin and stdout stay the terminal's, for what CDK asks."""
    lines: list[str] = []
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
    ) as process:
        for line in process.stderr or ():
            lines.append(line)
            if not is_frame(line):
                sys.stderr.write(line)
                sys.stderr.flush()
    if process.returncode:
        for reason in reasons(lines) or ["the CDK CLI gave no reason: its lines are above"]:
            sys.stderr.write(f"error: {reason}\n")
    return process.returncode


def deployer() -> list[str]:
    """The context that names whose credentials these are; none where AWS does not say."""
    try:
        arn = boto3.client("sts", config=_PATIENCE).get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError):
        return []
    return ["-c", f"deployer={arn}"]


_PATIENCE = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1})


if __name__ == "__main__":
    words = sys.argv[1:]
    raise SystemExit(run([CDK, *words, *(deployer() if words[:1] == ["deploy"] else [])]))
