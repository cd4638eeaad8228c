"""A request that was given a key is carried out once, however often it comes.

| what the key finds                               | what follows                                 |
| ------------------------------------------------ | -------------------------------------------- |
| nothing                                          | it is carried out, and its answer kept       |
| an answer                                        | that answer, whatever has happened since     |
| another request                                  | ``IdempotencyKeyReused``                     |
| a try that still has time                        | ``RequestInProgress``                        |
| a try that died before it changed anything       | it is carried out                            |
| a try that died after it had changed the record  | nothing is done again; ``lost`` answers      |

A try tells the last two apart by the mark that a change leaves in its own transaction
(``Change.request``). Answers are kept for good: a word that is repeated years later still does not
speak to another rollout. A try that met a service that was out, or lost a race, keeps no answer.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from halftone.domain.errors import HalftoneError, IdempotencyKeyReused, RequestInProgress
from halftone.ports import Ports
from halftone.ports.control import IdempotencyRecord

LEASE = timedelta(seconds=45)
"""How long a try has: longer than any function that carries one out may run."""


@dataclass(frozen=True)
class StoredResponse:
    """What a request is answered, as text; ``replayed``: as it was answered before."""

    text: str
    replayed: bool = False


def once(
    ports: Ports,
    request: str,
    fingerprint: str,
    holder: str,
    do: Callable[[Ports], str],
    *,
    lost: Callable[[Ports], str] | None = None,
) -> StoredResponse:
    """What ``do`` answers, carried out once for ``request``.

    ``fingerprint`` is a hash of all that was asked for, ``holder`` names this try and no other.
    ``lost`` answers where the change is on record and its answer is not; None says that ``do`` may
    simply be done again, because it is idempotent by itself.

    Raises:
        IdempotencyKeyReused: if the key stands for another request.
        RequestInProgress: if another try carries it out right now.
    """
    now = ports.clock.now()
    claimed = ports.claims.claim(IdempotencyRecord(request, fingerprint, holder, now + LEASE), now)
    before = claimed.before
    if not claimed.mine and before is not None:
        if before.fingerprint != fingerprint:
            raise IdempotencyKeyReused(
                "the idempotency key stands for another request: give this one its own"
            )
        if before.answer is None:
            raise RequestInProgress("the same request is being carried out: ask again in a second")
        return StoredResponse(before.answer, replayed=True)
    mine = IdempotencyRecord(request, fingerprint, holder, now + LEASE)
    if before and lost and ports.claims.has_changed(request):
        do = lost
    try:
        text = do(replace(ports, request=request))
    except BaseException:
        with suppress(HalftoneError):
            ports.claims.settle(mine)
        raise
    # The work is done: if its answer can't be kept, a repetition finds the mark it left.
    with suppress(HalftoneError):
        ports.claims.settle(replace(mine, answer=text))
    return StoredResponse(text)
