"""What `halftone package` says of a package's environment."""

from halftone.packaging.folder import BuiltPackage

LAYER_LIMIT = 250 * 2**20
"""Bytes of a function's code and all its layers together: Lambda quotas, "deployment package"."""

_READ_BYTES = 60e6
"""Bytes a second that a function takes from S3 and writes to its disk: an assumption, said so."""


def environment_facts(built: BuiltPackage) -> dict[str, object]:
    """Names and values about the environment; none without one."""
    environment, made = built.manifest.environment, built.environment
    if environment is None:
        return {}
    seconds = environment.unzipped / _READ_BYTES
    fits = environment.unzipped <= LAYER_LIMIT // 2
    cold = (
        "in a layer: nothing is fetched at a start"
        if fits
        else f"about {seconds:.0f} s more to fetch, where the layers have no room for it"
    )
    facts: dict[str, object] = {
        "environment": environment.digest,
        "for": str(environment.target),
        "environment bytes": environment.unzipped,
        "packages": ", ".join(environment.packages) or "none beside the layer's",
        "cold start": cold,
    }
    if made is not None:
        largest = sorted(made.sizes.items(), key=lambda item: -item[1])[:5]
        facts["largest"] = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in largest)
        facts["in the layer"] = ", ".join(made.provided) or "none of them"
        facts["left out"] = f"{made.left_out} bytes of tests, type stubs and scripts"
    return facts
