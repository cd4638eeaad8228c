"""An endpoint's state in one word and one sentence. Pure.

| status    | what is true                                                                      |
| --------- | --------------------------------------------------------------------------------- |
| Deploying | A rollout is under way; the champion, if there is one, answers meanwhile.         |
| Deployed  | The champion answers, and nothing is under way.                                   |
| Failed    | Nothing answers: the first release did not come through, or the function is gone. |
| Stopped   | Nothing answers: the endpoint was stopped or retired, or waits for a release.     |
"""

from dataclasses import dataclass
from enum import StrEnum

from halftone.domain.endpoint.projection import shares
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import Routing


class Status(StrEnum):
    """The word. The module's table says what is true under each."""

    DEPLOYING = "Deploying"
    DEPLOYED = "Deployed"
    FAILED = "Failed"
    STOPPED = "Stopped"


@dataclass(frozen=True)
class Told:
    """The word and the sentence."""

    status: Status
    message: str


def told(state: EndpointState, difference: str = "", live: Routing | None = None) -> Told:
    """What can be said of ``state`` at a glance.

    ``difference`` is how the aliases as they were read differ from the record ("": they do not, or
    were not read), ``live`` the alias that clients reach.
    """
    by_record = _told(state, live)
    if not difference:
        return by_record
    return Told(by_record.status, f"{difference}; {by_record.message}")


def gone(state: EndpointState) -> Told:
    """What can be said of an endpoint whose function does not exist any more."""
    if state.champion is None:
        by_record = _told(state, None)
        return Told(Status.STOPPED, f"its function does not exist any more; {by_record.message}")
    return Told(
        Status.FAILED,
        f"nobody answers: the function or one of its aliases does not exist any more; on record is "
        f"version {state.champion.version} ({state.champion.package})",
    )


def _told(state: EndpointState, live: Routing | None) -> Told:
    champion, newest = state.champion, state.rollout
    if state.restored:
        return Told(Status.DEPLOYED if champion else Status.STOPPED, state.restored)
    if state.flagged and champion and not state.serving.stopped:
        warned = f"version {champion.version} answers, but {state.flagged}"
        return Told(Status.DEPLOYING if state.active else Status.DEPLOYED, warned)
    if state.serving.stopped:
        return Told(Status.STOPPED, state.serving.stopped)
    if running := state.active:
        share = f"{running.package} is {running.phase} at {running.share:g} %"
        return Told(Status.DEPLOYING, f"{share}: {running.reason}" if running.reason else share)
    if champion is None:
        if state.flagged:
            return Told(Status.FAILED, f"nobody answers: {state.flagged}{_ended(newest)}")
        if newest is None:
            return Told(Status.STOPPED, "nothing was released to it, or it was retired")
        return Told(Status.FAILED, f"{newest.package} is {newest.phase}: {newest.reason}")
    serving = answering(state, live)
    return Told(Status.DEPLOYED, f"{serving}{_ended(newest)}")


def _ended(newest: Rollout | None) -> str:
    """How the newest rollout ended, if it did not come through."""
    if newest is None or newest.phase not in (Phase.FAILED, Phase.ROLLED_BACK):
        return ""
    return f"; {newest.package} {newest.phase}: {newest.reason}"


def answering(state: EndpointState, live: Routing | None = None) -> str:
    """Which versions answer unpinned requests: by the alias ``live`` as it was read (None: as the
    record has it), and by routes.
    """
    champion = state.champion
    shared = {version: share for version, share in shares(state, live).items() if share}
    if champion is None or set(shared) == {champion.version}:
        return f"version {champion.version} answers ({champion.package})" if champion else "nobody"
    spoken = ", ".join(f"version {version} {share:g} %" for version, share in shared.items())
    return f"{spoken or 'nobody'} (the champion is version {champion.version}, {champion.package})"
