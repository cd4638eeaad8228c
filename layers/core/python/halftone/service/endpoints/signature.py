"""What an endpoint takes and gives, and a call that works when it is pasted."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.errors import NotFound
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.samples import Call
from halftone.domain.traffic.policy import Access
from halftone.ports import DeploymentPorts


@dataclass(frozen=True)
class Signature:
    """The champion with its manifest; ``sample`` is its first, as its author gave it.

    ``url`` is the address below which the endpoint answers.
    """

    deployment: Deployment
    manifest: Manifest
    sample: Mapping[str, object]
    url: str
    curl: str


def signature(ports: DeploymentPorts, endpoint: str) -> Signature:
    """The signature of what serves ``endpoint``.

    Raises:
        NotFound: if there is no such endpoint, or nothing serves it.
    """
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint)
    if state.champion is None:
        raise NotFound("champion", endpoint, "nothing serves it yet: release a package")
    manifest = ports.packages.manifest(state.champion.package.digest)
    sample, url = manifest.samples[0], ports.gate.url(endpoint)
    private = state.serving.access is Access.PRIVATE
    return Signature(
        deployment=state.champion,
        manifest=manifest,
        sample=sample.as_given(),
        url=url,
        curl=curl(url, sample.call, private=private),
    )


def curl(url: str, call: Call, *, private: bool) -> str:
    """``call`` as a shell line; to a private endpoint, by the client in CLIENT with its TOKEN."""
    arguments = ["curl", "-sS"]
    if private:
        arguments += ["-u", '"$CLIENT:$TOKEN"']
    if call.body is not None:
        arguments += ["-H", "'content-type: application/json'", "-d", shlex.quote(call.body)]
    if call.method != ("GET" if call.body is None else "POST"):
        arguments += ["-X", call.method]
    return " ".join([*arguments, shlex.quote(f"{url}{call.path}")])
