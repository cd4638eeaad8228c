"""The options that say what an environment is built for."""

from typing import Annotated

import typer

from halftone.domain.model.target import Architecture, Runtime, Target

RuntimeOption = Annotated[
    str | None,
    typer.Option(
        metavar="RUNTIME",
        help="Build the environment for it: python3.11 to python3.13, or current; else python3.13, "
        "with --local current.",
        show_default=False,
    ),
]
ArchitectureOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Build the environment for it: x86_64 or arm64; else x86_64.",
        show_default=False,
    ),
]


def target_of(runtime: str | None, architecture: str | None, *, local: bool) -> Target:
    """The target of the options. Functions of a local AWS run on the Python that runs it.

    Raises:
        InvalidInput: naming the option and its value.
    """
    default = Runtime.current() if local and runtime is None else Target().runtime
    return Target(
        Runtime.named("--runtime", runtime) if runtime is not None else default,
        Architecture.named("--architecture", architecture or Target().architecture),
    )
