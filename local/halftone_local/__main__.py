"""``python -m halftone_local up|down|status|env``: the local AWS by hand.

Exit codes: 0 done, 1 it does not run, 6 it could not be started.
"""

import argparse
import shlex
import sys

from halftone_local.pins import DEFAULT_PORT
from halftone_local.supervisor import LocalAws, LocalAwsError, running, start


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m halftone_local", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "env"])
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    options = parser.parse_args(arguments)
    try:
        aws = running(options.port)
        if options.command == "up":
            aws = aws or start(options.port, detached=True)
            sys.stdout.write(f"{aws.endpoint_url} (process {aws.pid}, log {aws.log})\n")
            return 0
        if aws is None:
            sys.stderr.write(f"no local AWS runs on port {options.port}\n")
            return 0 if options.command == "down" else 1
        return _act(options.command, aws)
    except LocalAwsError as error:
        sys.stderr.write(f"error: {error}\n")
        return 6


def _act(command: str, aws: LocalAws) -> int:
    if command == "down":
        aws.stop()
        sys.stdout.write(f"stopped {aws.endpoint_url}\n")
    elif command == "status":
        state = "ready" if aws.healthy() else "not answering"
        sys.stdout.write(f"{aws.endpoint_url} {state} (process {aws.pid}, log {aws.log})\n")
        return 0 if state == "ready" else 1
    else:
        sys.stdout.write("unset AWS_PROFILE AWS_SESSION_TOKEN\n")
        for name, value in aws.environment().items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
