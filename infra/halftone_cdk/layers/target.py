"""What a layer is built for: a Lambda runtime on a processor architecture."""

from dataclasses import dataclass

from halftone_cdk.settings import Architecture, Runtime, Settings

_MAGIC = {Runtime.PYTHON_3_11: 3495, Runtime.PYTHON_3_12: 3531, Runtime.PYTHON_3_13: 3571}
"""The numbers that begin compiled files, from CPython's Include/internal/pycore_magic_number.h."""

_PLATFORM = {
    Architecture.X86_64: "x86_64-manylinux_2_28",
    Architecture.ARM64: "aarch64-manylinux_2_28",
}


@dataclass(frozen=True)
class Target:
    """The runtime and the architecture that will import a layer."""

    runtime: Runtime
    architecture: Architecture

    @classmethod
    def of(cls, settings: Settings) -> "Target":
        """The target of a stage."""
        return cls(settings.runtime, settings.architecture)

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
