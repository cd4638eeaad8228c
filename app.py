"""The CDK app: ``cdk deploy -c stage=NAME [-c endpoints=FOLDER]``."""

import os
import sys
from pathlib import Path

# Node 20 is supported here: a banner about its age at every synth would bury the one line that
# tells of a wrong file.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"

from aws_cdk import App

from halftone.domain.errors import HalftoneError
from halftone_cdk import stacks


def main() -> int:
    """Synthesise; a mistake in what was given is one line, not a stack trace."""
    app = App()
    try:
        stacks(app, Path(__file__).resolve().parent)
    except HalftoneError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
