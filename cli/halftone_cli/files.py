"""Writing files so that nobody, ctrl-C included, ever sees half of one."""

import os
import tempfile
from pathlib import Path

from halftone.domain.errors import InvalidInput


def write_whole(target: Path, data: bytes, *, option: str) -> None:
    """Write all of ``data`` or nothing.

    Raises:
        InvalidInput: naming ``option``, if the file can't be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _unwritable(option, target, error) from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.chmod(0o644)
        part.replace(target)
    except OSError as error:
        raise _unwritable(option, target, error) from None
    finally:
        part.unlink(missing_ok=True)


def _unwritable(option: str, target: Path, error: OSError) -> InvalidInput:
    return InvalidInput(option, str(target), f"a file that can be written ({error.strerror})")
