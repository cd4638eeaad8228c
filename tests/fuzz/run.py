"""One target under atheris: ``python -m tests.fuzz.run TARGET [libFuzzer's options] [corpora]``."""

import importlib
import sys


def main() -> None:
    """Fuzz until the options say that it is enough, or an input breaks a promise."""
    import atheris  # noqa: PLC0415  (in an environment of its own)

    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["halftone", "tests.fuzz.targets"]):
        target = importlib.import_module(f"tests.fuzz.targets.{name}")
    atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
