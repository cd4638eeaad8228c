"""Who calls, as a model may know it: the client's name and the headers that its package asked for.

A token never gets here, and neither does a header that the manifest does not name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

USER = "x-forwarded-user"
"""The header that names the client. Halftone sets it; what a client sends under it is dropped."""


@dataclass(frozen=True)
class Context:
    """One request's surroundings.

    ``client`` is None where anybody may call. ``headers`` have lower-case names: those of the
    manifest that the request has, and ``x-forwarded-user`` if there is a client.
    """

    client: str | None = None
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


NOBODY = Context()


def context_of(
    given: Mapping[str, str],
    wanted: Sequence[str],
    *,
    client: str | None = None,
    request_id: str = "",
) -> Context:
    """The context of a request with the headers ``given`` (names in lower case) for a model whose
    manifest names the headers ``wanted``.
    """
    found = {name: given[name] for name in wanted if name in given and name != USER}
    if client is not None:
        found[USER] = client
    return Context(client, request_id, MappingProxyType(found))
