"""Reading a value that may be refused."""

from collections.abc import Callable
from typing import TypeVar

from halftone.domain.errors import InvalidInput

T = TypeVar("T")


def read_or_refusal(read: Callable[..., T], *arguments: object) -> T | InvalidInput:
    """What ``read`` makes of its arguments, or why it refuses them; any other error is raised."""
    try:
        return read(*arguments)
    except InvalidInput as refusal:
        return refusal
