"""The process's entry point: ctrl-C ends it with its exit code, also while modules load."""

import sys


def main() -> None:
    """Run the command that the process was started with."""
    try:
        from halftone_cli.main import main as run  # noqa: PLC0415 - what may be interrupted
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was changed\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
