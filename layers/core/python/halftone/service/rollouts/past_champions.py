"""Which versions an endpoint was served by: the only ones that are known to have answered well."""

from collections.abc import Sequence

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.deployment_status import past
from halftone.ports import Parts


def served(parts: Parts, endpoint: str) -> Sequence[Deployment]:
    """Every deployment that was champion since the endpoint was made, oldest first.

    Versions count from 1 again when an endpoint is retired and made anew: what served before that
    is another version of the same number. What was deleted can't be returned to.
    """
    versions = past(parts.store.audit(endpoint)).served
    return [d for d in parts.store.deployments(endpoint) if d.version in versions and not d.deleted]
