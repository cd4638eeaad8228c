"""The one way in which a patch touches ministack: by name, and loudly when the name is gone.

A patch that silently no longer applies would leave tests green on a wrong AWS. So every internal
that a patch reads or replaces is fetched here, and a missing one stops the server at its start.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from halftone_local.pins import MINISTACK_VERSION


class MissingSeamError(RuntimeError):
    """ministack has no such internal: the patch must be written anew for this release."""

    def __init__(self, owner: object, name: str) -> None:
        where = getattr(owner, "__name__", repr(owner))
        super().__init__(
            f"{where}.{name} does not exist; the patches of halftone_local were written for "
            f"ministack {MINISTACK_VERSION}"
        )


def need(owner: ModuleType | type, name: str) -> Any:
    """The internal ``name`` of a ministack module or class, or MissingSeamError."""
    try:
        return getattr(owner, name)
    except AttributeError:
        raise MissingSeamError(owner, name) from None


def wrap(owner: ModuleType | type, name: str, wrapper: Callable[[Any], Any]) -> None:
    """Replace ``owner.name`` by ``wrapper(original)``.

    ministack looks its functions up in their module at each call, so that callers inside the same
    module and ``module.name`` callers elsewhere both meet the replacement.
    """
    original = need(owner, name)
    setattr(owner, name, wrapper(original))


def replace_text(owner: ModuleType, name: str, old: str, new: str) -> None:
    """Replace ``old``, which must occur exactly once, in a script that ministack keeps as text."""
    script: str = need(owner, name)
    if script.count(old) != 1:
        raise MissingSeamError(owner, f"{name} containing {old!r} once")
    setattr(owner, name, script.replace(old, new))
