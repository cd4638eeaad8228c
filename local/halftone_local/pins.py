"""What the local AWS is made of, known to both halves: supervisor and server."""

MINISTACK_VERSION = "1.5.33"
"""The release that the patches were written for; the same as in requirements/local.in."""

ACCOUNT = "000000000042"
"""The account: ministack takes a twelve-digit access key id for the account that it belongs to."""

REGION = "us-east-1"

DEFAULT_PORT = 4566
"""The port of ``python -m halftone_local up``; whatever uses ``start()`` gets a free one."""
