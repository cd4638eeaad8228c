"""Whether what no policy allows is refused, or only written to the log."""

import logging
import os
from enum import StrEnum

VARIABLE = "HALFTONE_LOCAL_POLICIES"
"""``enforce`` (the default) refuses, ``log`` only writes refusals down, ``off`` checks nothing."""

_log = logging.getLogger("halftone_local.access")


class Mode(StrEnum):
    """How strict the local AWS is."""

    ENFORCE = "enforce"
    LOG = "log"
    OFF = "off"


def mode() -> Mode:
    """The mode that the environment names.

    Raises:
        ValueError: if there is no such mode.
    """
    return Mode(os.environ.get(VARIABLE, Mode.ENFORCE))


def refuse(action: str, resource: str, principal: str, reason: str) -> bool:
    """Write a refusal to the log; whether it is to be carried out."""
    enforced = mode() is Mode.ENFORCE
    word = "refused" if enforced else "would be refused"
    _log.warning("%s: %s on %s for %s (%s)", word, action, resource, principal, reason)
    return enforced
