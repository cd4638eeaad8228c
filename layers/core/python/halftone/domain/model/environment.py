"""The Python packages that a model needs beside those of its function's layers.

An environment is a zip of packages for one target, named by its SHA-256. Model packages that need
the same one name the same digest, and share it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from halftone.domain.errors import InvalidInput
from halftone.domain.model.target import Architecture, Runtime, Target

MAX_UNZIPPED = 4_500_000_000
"""Bytes of all files of an environment. A function has at most 10,240 MB of disk, and holds the zip
while it is unpacked."""

MAX_ENTRIES = 200_000

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PACKAGE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[A-Za-z0-9.!+_-]+")


@dataclass(frozen=True)
class Environment:
    """An environment by its digest.

    ``unzipped`` is the size of its files in bytes, ``packages`` what it holds: ``name==version``.
    """

    digest: str
    target: Target
    unzipped: int
    packages: tuple[str, ...]

    def as_given(self) -> dict[str, object]:
        """The form that ``load_environment`` reads."""
        return {
            "digest": self.digest,
            "runtime": str(self.target.runtime),
            "architecture": str(self.target.architecture),
            "unzipped": self.unzipped,
            "packages": list(self.packages),
        }


def load_environment(at: str, value: object) -> Environment:
    """The environment in ``value``, as a built package's manifest holds it.

    Raises:
        InvalidInput: naming the field, below ``at``, and its value.
    """
    if not isinstance(value, Mapping):
        expected = "nothing: `halftone package` writes it, from the file that `requirements` names"
        raise InvalidInput(at, value, expected)
    digest, unzipped, packages = (value.get(key) for key in ("digest", "unzipped", "packages"))
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise InvalidInput(f"{at}.digest", digest, "64 hex digits")
    if type(unzipped) is not int or not 0 <= unzipped <= MAX_UNZIPPED:
        raise InvalidInput(f"{at}.unzipped", unzipped, f"0 to {MAX_UNZIPPED} bytes")
    if not isinstance(packages, list):
        raise InvalidInput(f"{at}.packages", packages, "a list such as [pandas==3.1.1]")
    for i, package in enumerate(packages):
        if not isinstance(package, str) or not _PACKAGE.fullmatch(package):
            raise InvalidInput(f"{at}.packages[{i}]", package, "name==version")
    unknown = value.keys() - {"digest", "runtime", "architecture", "unzipped", "packages"}
    if unknown:
        raise InvalidInput(f"{at}.{min(unknown)}", value[min(unknown)], "no such field")
    target = Target(
        Runtime.named(f"{at}.runtime", value.get("runtime")),
        Architecture.named(f"{at}.architecture", value.get("architecture")),
    )
    return Environment(digest, target, unzipped, tuple(packages))
