"""Environments of packages: kept once, for all packages and endpoints that need them."""

from halftone.domain.errors import NotFound
from halftone.domain.model.manifest import Manifest
from halftone.ports import RegistryPorts


def keep_environment(
    ports: RegistryPorts, manifest: Manifest, bucket: str = "", key: str = ""
) -> None:
    """See that the environment of a package is kept: it is already, or lies at that place, or was
    uploaded.

    Raises:
        NotFound: if it is nowhere, with the remedy.
        InvalidPackage: if what lies there is another one.
    """
    environment = manifest.environment
    if environment is None or ports.packages.has_environment(environment.digest):
        return
    place = (bucket, key) if key else ports.uploads.place(environment.digest)
    try:
        ports.packages.keep_environment(*place, environment.digest)
    except NotFound:
        remedy = "`halftone release` and `cdk deploy` upload it with its package"
        raise NotFound("environment", environment.digest, remedy) from None
