"""What all AWS adapters share: client settings, and the translation of AWS errors into ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from halftone.domain.errors import HalftoneError, Unavailable

PATIENT = Config(
    connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
)
"""For ticks and commands: a throttled call is tried again, a hanging one given up."""

SIGNING = PATIENT.merge(
    Config(
        signature_version="s3v4",
        s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
    )
)
"""For a bucket that uploads are signed for: older signatures hold no checksum, and an address
without a region is redirected, or refused in regions that an account has to opt into."""

URGENT = Config(
    connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1}
)
"""For the table during a rollback: after one second the alias goes first."""

INVOKE = Config(connect_timeout=2, read_timeout=35, retries={"total_max_attempts": 1})
"""For smoke tests: as long as the longest model may take, and never twice by itself."""


def error_code(error: ClientError) -> str:
    """AWS' name of the error, such as ``ResourceNotFoundException``."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def translated(doing: str, expected: Mapping[str, HalftoneError] | None = None) -> Iterator[None]:
    """Turn the AWS errors in ``expected`` (by code) into ours, and any other into Unavailable.

    ``doing`` completes the sentence "AWS did not answer while ...".
    """
    try:
        yield
    except ClientError as error:
        translation = (expected or {}).get(error_code(error))
        if translation is not None:
            raise translation from error
        raise Unavailable(f"AWS refused while {doing}: {error}") from error
    except BotoCoreError as error:
        raise Unavailable(f"AWS did not answer while {doing}: {error}") from error
