"""What the model function is told through its environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from halftone.domain.errors import InvalidInput


@dataclass(frozen=True)
class Settings:
    """The environment of one model function.

    ``deployment`` and ``package`` are the model pointer, which a release sets; None before the
    first one. ``package`` is the digest of a model package. ``function`` and ``version`` are the
    function's own, ``table`` is where its dispatch is kept and ``runtime_api`` where an extension
    registers; None where a server runs by itself.
    """

    endpoint: str
    artifacts: str
    late_after_ms: float
    max_body: int
    deployment: str | None = None
    package: str | None = None
    table: str | None = None
    function: str | None = None
    version: str = ""
    runtime_api: str | None = None


def settings_from(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``.

    Raises:
        InvalidInput: naming the variable that is missing or wrong.
    """
    return Settings(
        endpoint=_text(environ, "HALFTONE_ENDPOINT"),
        artifacts=_text(environ, "HALFTONE_ARTIFACTS"),
        late_after_ms=_positive(environ, "HALFTONE_LATE_AFTER_MS"),
        max_body=int(_positive(environ, "HALFTONE_MAX_BODY")),
        deployment=environ.get("HALFTONE_DEPLOYMENT") or None,
        package=environ.get("HALFTONE_PACKAGE") or None,
        table=environ.get("HALFTONE_TABLE") or None,
        function=environ.get("AWS_LAMBDA_FUNCTION_NAME") or None,
        version=environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        runtime_api=environ.get("AWS_LAMBDA_RUNTIME_API") or None,
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise InvalidInput(name, value, "a text in the function's environment")
    return value


def _positive(environ: Mapping[str, str], name: str) -> float:
    value = environ.get(name)
    try:
        number = float(value or "")
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise InvalidInput(name, value, "a positive number in the function's environment")
    return number
