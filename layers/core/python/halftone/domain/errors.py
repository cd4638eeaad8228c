"""The errors a user can meet, drawn once.

    HalftoneError
    ├── InvalidInput                a field, its value, and what was expected    (HTTP 400, exit 2)
    │   └── InvalidPackage          the same, about a model package
    ├── NotFound                    nothing of that kind and name                (HTTP 404, exit 3)
    ├── Conflict                    conflicts with the current state             (HTTP 409, exit 4)
    │   ├── UnderWay                the same, because of a rollout that is named
    │   └── RecordRestored          the same: the table is older than what the aliases say
    ├── Forbidden                   who asks may not do that here                (HTTP 403, exit 7)
    ├── PreconditionFailed          no longer at the revision presented          (HTTP 412, exit 4)
    ├── IdempotencyKeyReused        the key stands for another request           (HTTP 422, exit 2)
    ├── RequestInProgress           the same request is being carried out now    (HTTP 409, exit 4)
    ├── ConcurrentWrite             somebody else wrote first: read again, decide again
    │   └── RoutingChanged          the same, about an alias
    ├── BrokenChain                 the audit does not verify from a record on   (HTTP 409, exit 5)
    └── Unavailable                 a service that Halftone stands on is out     (HTTP 503, exit 6)

Every message names the value at fault and, where there is one, the remedy: a reader should not
need the stack trace, and does not get to see one.
"""

from collections.abc import Iterable


class HalftoneError(Exception):
    """Anything that Halftone says no to."""


class InvalidInput(HalftoneError):
    """A value that can't be taken.

    ``field`` is a path such as ``plan.steps[1].weight``; ``source`` the file or request that
    it came from.
    """

    def __init__(self, field: str, value: object, expected: str, *, source: str = "") -> None:
        # A name of a field that no encoding can carry stands here as its escape.
        self.field = _encodable(field)
        self.value = value
        self.expected = _encodable(expected)
        self.source = source
        where = f"{source}: " if source else ""
        super().__init__(
            f"{where}{self.field} is {shown_in_errors(value)}, expected {self.expected}"
        )


_SHOWN = 120


def shown_in_errors(value: object) -> str:
    """``value`` as an error repeats it: never long, and never an error of its own."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python writes no number of more than 4,300 digits.
        text = f"a value of type {type(value).__name__} that is too large to show"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


OTHER_WORDS = {
    "auth_mode": "access",
    "auth": "access",
    "authentication": "access",
    "memory_size": "memory",
    "memory_mb": "memory",
    "instance_type": "memory",
    "instance_size": "memory",
    "size": "memory",
    "mirror_traffic": "mirror",
    "shadow": "mirror",
    "environment": "flavor",
    "conda_env": "flavor",
    "code": "model",
    "model_path": "model",
    "rollout": "plan",
    "strategy": "plan",
    "steps": "plan",
    "data_capture": "capture",
    "data_collector": "capture",
    "max_concurrency": "concurrency",
    "reserved_concurrency": "concurrency",
    "group": "owner",
    "metadata": "tags",
    "labels": "tags",
    "scoring_script": "entry",
    "entry_script": "entry",
    "instance_count": "replicas",
    "num_replicas": "replicas",
    "replica_count": "replicas",
    "provisioned_concurrency": "replicas",
}
"""Words of other systems for fields of ours: which field means the same."""


def unknown_field(at: str, value: object, allowed: Iterable[str]) -> InvalidInput:
    """The error about a field, ``at`` its path, that is none of ``known``; tells the nearest."""
    # Only who has erred pays for the import, and no model server does.
    from difflib import get_close_matches  # noqa: PLC0415

    names = sorted(allowed)
    last = at.rpartition(".")[2][:100]
    translated = OTHER_WORDS.get(last.lower())
    near = [translated] if translated in names else get_close_matches(last, names, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return InvalidInput(at, value, f"no such field{hint}; known: {', '.join(names)}")


class InvalidPackage(InvalidInput):
    """A model package that can't be taken: nothing of it was stored."""


class NotFound(HalftoneError):
    """There is no ``kind`` called ``name``."""

    def __init__(self, kind: str, name: str, remedy: str = "") -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"there is no {kind} {name!r}" + (f"; {remedy}" if remedy else ""))


class Conflict(HalftoneError):
    """The request is well formed, but the present state forbids it."""


class UnderWay(Conflict):
    """Another rollout, ``rollout``, is under way."""

    def __init__(self, rollout: str, message: str) -> None:
        self.rollout = rollout
        super().__init__(message)


class RecordRestored(Conflict):
    """The aliases know of a later record than the table has: a person must say which one holds."""


class Forbidden(HalftoneError):
    """Who asks may not do that to this resource."""


class PreconditionFailed(HalftoneError):
    """What is to be changed is no longer as whoever asks has seen it."""


class IdempotencyKeyReused(HalftoneError):
    """An idempotency key that stands for another request."""


class RequestInProgress(HalftoneError):
    """The same request, by its idempotency key, is being carried out right now."""


class ConcurrentWrite(HalftoneError):
    """The record moved on between reading and writing. Read again, decide again."""


class RoutingChanged(ConcurrentWrite):
    """The alias moved on between reading and writing. Read again, decide again."""


class BrokenChain(HalftoneError):
    """The audit chain of an endpoint does not verify from record ``seq`` on."""

    def __init__(self, endpoint: str, seq: int, why: str) -> None:
        self.endpoint = endpoint
        self.seq = seq
        self.why = why
        super().__init__(f"the audit of {endpoint!r} breaks at record {seq}: {why}")


class Unavailable(HalftoneError):
    """A service that Halftone stands on did not answer, or answered with a fault of its own."""
