"""The process's entry point: ctrl-C ends it with its exit code, also while modules load."""

import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13))
"""The Pythons that this release is tested on. Some installers take a wheel to a later one."""

EXTRA = ("typer", "rich", "yaml")
"""The packages of the extra ``cli``, without which the command can't start."""


def main() -> None:
    """Run the command that the process was started with."""
    if sys.version_info[:2] not in SUPPORTED:
        running = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.stderr.write(
            f"error: Python {running} is not supported: install halftone for Python 3.11, 3.12 or"
            " 3.13\n"
        )
        sys.exit(2)
    try:
        from halftone_cli.main import main as run  # noqa: PLC0415 - what may be interrupted
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        sys.stderr.write(f"error: {error.name} is not installed: pip install 'halftone[cli]'\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was changed\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
