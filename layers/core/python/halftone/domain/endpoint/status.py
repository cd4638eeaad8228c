"""An endpoint's state in one word and one sentence. Pure.

| status    | what is true                                                                     |
| --------- | -------------------------------------------------------------------------------- |
| Deploying | A rollout is under way; the champion, if there is one, answers meanwhile.        |
| Deployed  | The champion answers, and nothing is under way.                                  |
| Failed    | Nothing answers: the first release did not come through.                         |
| Stopped   | Nothing answers: the endpoint was stopped or retired, or waits for a release.    |
"""

from dataclasses import dataclass
from enum import StrEnum

from halftone.domain.endpoint.projection import shares
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import Phase


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


def told(state: EndpointState) -> Told:
    """What can be said of ``state`` at a glance."""
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
        if newest is None:
            return Told(Status.STOPPED, "nothing was released to it, or it was retired")
        return Told(Status.FAILED, f"{newest.package} is {newest.phase}: {newest.reason}")
    serving = answering(state)
    if newest and newest.phase in (Phase.FAILED, Phase.ROLLED_BACK):
        return Told(Status.DEPLOYED, f"{serving}; {newest.package} {newest.phase}: {newest.reason}")
    return Told(Status.DEPLOYED, serving)


def answering(state: EndpointState) -> str:
    """Which versions answer unpinned requests, as the record has it: by alias and routes."""
    champion = state.champion
    shared = {version: share for version, share in shares(state).items() if share}
    if champion is None or set(shared) == {champion.version}:
        return f"version {champion.version} answers ({champion.package})" if champion else "nobody"
    spoken = ", ".join(f"version {version} {share:g} %" for version, share in shared.items())
    return f"{spoken or 'nobody'} (the champion is version {champion.version}, {champion.package})"
