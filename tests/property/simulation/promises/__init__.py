"""The promises of docs/architecture.md as invariants, a module for each group of them.

Each check raises ``Broken`` with the promise's number and a *tag*: one way in which that promise
can break. Inside ``waiving``, tags of faults that are known (``faults.OPEN``) are not raised, so
that they hide nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_waived: list[frozenset[str]] = []


class Broken(AssertionError):
    """A promise does not hold."""

    def __init__(self, promise: int, tag: str, why: str) -> None:
        self.promise = promise
        self.tag = tag
        super().__init__(f"promise {promise} is broken ({tag}): {why}")


@contextmanager
def waiving(*tags: str) -> Iterator[None]:
    """Raise no ``Broken`` of these tags inside."""
    _waived.append(frozenset(tags))
    try:
        yield
    finally:
        _waived.pop()


def breaks(promise: int, tag: str, why: str) -> None:
    """Raise ``Broken``, unless the tag is waived."""
    if not any(tag in tags for tags in _waived):
        raise Broken(promise, tag, why)
