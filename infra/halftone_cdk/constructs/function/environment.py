"""Where a function has the environment of its model: in a layer, or on its own disk.

A layer costs no time at a start. What does not fit beside the other layers is fetched by the model
server when it starts, and needs disk. A release by the control API may need another environment
than the one that was deployed: the server fetches that, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from halftone.domain.errors import InvalidInput
from halftone.domain.model.target import Target
from halftone.packaging.environment import kept_archive
from halftone.packaging.folder import BuiltPackage
from halftone_cdk.constructs.function.layers import UNZIPPED_LIMIT
from halftone_cdk.layers.archive import unzipped_size
from halftone_cdk.layers.build import Layer, environment_layer

DEFAULT_STORAGE = 512
"""MB of disk that a function has unless more is asked for; the most that SnapStart allows."""

LARGEST_STORAGE = 10_240
"""MB of disk that a function may have."""

_SPARE = 64 * 2**20


@dataclass(frozen=True)
class EnvironmentPlace:
    """The layers that an environment adds to a function, and the disk in MB that it needs.

    ``storage`` is None where the default is enough.
    """

    layers: tuple[Layer, ...] = ()
    storage: int | None = None


def place_environment(
    package: BuiltPackage, code: Path, layers: Sequence[Layer], target: Target
) -> EnvironmentPlace:
    """Where the environment of ``package`` goes, beside the function's code and other layers.

    Raises:
        InvalidInput: if it was built for another target, or its zip is not on this machine.
    """
    environment = package.manifest.environment
    if environment is None:
        return EnvironmentPlace()
    if environment.target != target:
        expected = f"an environment for {target}, on which the stage runs: package the folder again"
        raise InvalidInput("model", str(environment.target), expected)
    taken = unzipped_size(code) + sum(layer.size for layer in layers)
    if taken + environment.unzipped <= UNZIPPED_LIMIT:
        archive = package.environment.archive if package.environment else None
        archive = archive or kept_archive(environment)
        if archive is None:
            expected = "a folder in place of a zip: its environment was not built on this machine"
            raise InvalidInput("model", environment.digest, expected)
        return EnvironmentPlace((environment_layer(environment, archive),))
    # The zip and its files stand on the disk at the same time.
    needed = 2 * environment.unzipped + 2 * len(package.data) + _SPARE
    megabytes = -(-needed // 2**20)
    return EnvironmentPlace(
        storage=min(LARGEST_STORAGE, megabytes) if megabytes > DEFAULT_STORAGE else None
    )
