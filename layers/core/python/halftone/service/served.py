"""Which versions an endpoint was served by: the only ones that are known to have answered well."""

from collections.abc import Sequence

from halftone.domain.deployment import Deployment
from halftone.service.ports import Parts

RETIRED = "retired"
"""The audit's word for the end of an endpoint."""


def served(parts: Parts, endpoint: str) -> Sequence[Deployment]:
    """Every deployment that was champion since the endpoint was made, oldest first.

    Versions count from 1 again when an endpoint is retired and made anew: what served before that
    is another version of the same number.
    """
    versions: set[object] = set()
    for record in parts.store.audit(endpoint):
        if record.action == RETIRED:
            versions.clear()
        else:
            versions.add(record.after.get("champion"))
    return [d for d in parts.store.deployments(endpoint) if d.version in versions]
