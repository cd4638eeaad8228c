"""What packages of compiled code are built for: a Lambda runtime on a processor architecture."""

import sys
from dataclasses import dataclass
from enum import StrEnum

from halftone.domain.errors import InvalidInput


class Runtime(StrEnum):
    """The Lambda runtimes for which layers and environments can be built.

    python3.11 runs on Amazon Linux 2, whose C library is older than the one that today's numpy and
    onnxruntime are built for: it serves stages whose functions do not run on Lambda's own machines.
    """

    PYTHON_3_11 = "python3.11"
    PYTHON_3_12 = "python3.12"
    PYTHON_3_13 = "python3.13"

    @classmethod
    def current(cls) -> "Runtime":
        """The runtime of the running Python, which also runs a local AWS's functions.

        Raises:
            InvalidInput: if nothing can be built for it.
        """
        return cls.named("runtime", f"python{sys.version_info[0]}.{sys.version_info[1]}")

    @classmethod
    def named(cls, at: str, value: object) -> "Runtime":
        """The runtime called ``value``; ``current`` is that of the running Python.

        Raises:
            InvalidInput: naming the field ``at`` and the value.
        """
        if value == "current":
            return cls.current()
        try:
            return cls(str(value))
        except ValueError:
            raise InvalidInput(at, value, f"one of {', '.join(cls)}") from None


class Architecture(StrEnum):
    """Lambda's processor architectures."""

    X86_64 = "x86_64"
    ARM64 = "arm64"

    @classmethod
    def named(cls, at: str, value: object) -> "Architecture":
        """The architecture called ``value``.

        Raises:
            InvalidInput: naming the field ``at`` and the value.
        """
        try:
            return cls(str(value))
        except ValueError:
            raise InvalidInput(at, value, f"one of {', '.join(cls)}") from None


_MAGIC = {Runtime.PYTHON_3_11: 3495, Runtime.PYTHON_3_12: 3531, Runtime.PYTHON_3_13: 3571}
"""The numbers that begin compiled files, from CPython's Include/internal/pycore_magic_number.h."""

_PLATFORM = {
    Architecture.X86_64: "x86_64-manylinux_2_28",
    Architecture.ARM64: "aarch64-manylinux_2_28",
}


@dataclass(frozen=True)
class Target:
    """The runtime and the architecture that will import a layer or an environment."""

    runtime: Runtime = Runtime.PYTHON_3_13
    architecture: Architecture = Architecture.X86_64

    @property
    def python(self) -> str:
        """The Python version, such as ``3.13``."""
        return self.runtime.removeprefix("python")

    @property
    def platform(self) -> str:
        """The platform as the resolver names it."""
        return _PLATFORM[self.architecture]

    @property
    def pyc_header(self) -> bytes:
        """How every compiled file must begin: the magic number, then the flags of PEP 552 for a

        hash that is not checked, so that neither time stamps nor sources are looked at on import.
        """
        return _MAGIC[self.runtime].to_bytes(2, "little") + b"\r\n" + (1).to_bytes(4, "little")

    def __str__(self) -> str:
        return f"{self.runtime}/{self.architecture}"
