"""People who speak to a rollout, and people who go back."""

from collections.abc import Callable
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.rollout.plan import PRESETS
from halftone.ports import Ports
from halftone.service.releases.release import release
from halftone.service.releases.revert import Seen, revert
from halftone.service.rollouts import operate
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import CONTROL, Actor, by_name
from tests.support.engine import NAME, Endpoint

ANN: dict[str, Any] = {"author": Author("ann", "a look first")}
ROLLING = frozenset({"watched", "passing on", "at the gate", "scored"})
SERVED = frozenset({"serving", "beside", "returned", "passing on", "watched", "deployed"})


def _sees_rollout(ports: Ports, _: Outside, __: Any) -> object:
    state = ports.store.load(NAME)
    return state.active.id if state and state.active else None


def _says(word: Callable[..., object], **more: object) -> tuple[Act, ...]:
    """Somebody looks, and says ``word`` to the rollout that they saw."""
    speak = by_name(word)

    def say(ports: Ports, _: Outside, rollout: Any) -> object:
        if rollout is None:
            return None
        return speak(ports, NAME, **ANN, rollout=rollout, **more)

    return (Act(_sees_rollout), Act(say, again=2))


def _sees(ports: Ports, _: Outside, __: Any) -> object:
    state = ports.store.load(NAME)
    return Seen.of(state) if state else None


def _goes_back(version: str | None) -> tuple[Act, ...]:
    """Somebody looks, and goes back from what they saw: the request is repeated until answered."""
    returns = by_name(revert)

    def back(ports: Ports, _: Outside, seen: Any) -> object:
        if seen is None:
            return None
        return returns(ports, NAME, version=version, author=Author("bob", "it drifts"), seen=seen)

    return (Act(_sees), Act(back, again=2))


def _releases(model: str) -> tuple[Act, ...]:
    """Somebody releases a package by the control API, until they are answered."""
    do = by_name(release)
    request = Endpoint().request(model, f"a person's {model}", plan=PRESETS["all-at-once"])
    return (Act(lambda ports, _, __: do(ports, request), again=2),)


ACTORS = (
    Actor("person releases m2", "release", CONTROL, _releases("m2"), SERVED | ROLLING | {"aside"}),
    Actor("person pauses", "operator", CONTROL, _says(operate.pause), ROLLING),
    Actor("person resumes", "operator", CONTROL, _says(operate.resume), ROLLING),
    Actor("person approves", "operator", CONTROL, _says(operate.approve, stage=1), ROLLING),
    Actor("person rejects", "operator", CONTROL, _says(operate.reject), ROLLING),
    Actor("person promotes", "operator", CONTROL, _says(operate.promote), ROLLING),
    Actor("person aborts", "operator", CONTROL, _says(operate.abort), ROLLING),
    Actor("person goes back", "back", CONTROL, _goes_back(None), SERVED),
    Actor("other goes back", "back", CONTROL, _goes_back(None), SERVED),
    Actor("person goes back to 1", "back", CONTROL, _goes_back("1"), SERVED),
    Actor("person goes back to 2", "back", CONTROL, _goes_back("2"), SERVED),
)
