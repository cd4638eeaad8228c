"""Writing files so that nobody, ctrl-C included, ever sees half of one."""

import os
import tempfile
from pathlib import Path

from halftone.domain.errors import InvalidInput


def write_whole(target: Path, data: bytes, *, option: str) -> None:
    """Write all of ``data`` or nothing.

    A link stays one: its file is replaced. What is no regular file (``/dev/stdout``, a pipe) is
    written to and never replaced: a rename would take ``/dev/null`` from the whole machine.

    Raises:
        InvalidInput: naming ``option``, if the file can't be written.
    """
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        real = target.resolve()
        descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    except OSError as error:
        raise _unwritable(option, target, error) from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.chmod(0o644)
        part.replace(real)
    except OSError as error:
        raise _unwritable(option, target, error) from None
    finally:
        part.unlink(missing_ok=True)


def _unwritable(option: str, target: Path, error: OSError) -> InvalidInput:
    return InvalidInput(option, str(target), f"a file that can be written ({error.strerror})")
