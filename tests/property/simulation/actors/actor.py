"""Actors: everybody who acts on an endpoint, each as a program that can be stopped at any call.

An actor is an ``engine.simulation.Process`` with a role: the role of the function (or the person)
that makes its calls. What no port does, time, alarms, people at consoles, is done by events of the
world outside: ``EVENTS``, by name.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from halftone.ports import Ports
from tests.property.engine.simulation import Act, Call, Outside, Process

if TYPE_CHECKING:
    from tests.property.simulation.world import World

ROLLOUT, ROLLBACK, RELEASE, CONTROL, NOBODY = "rollout", "rollback", "release", "control", "nobody"
"""The roles that actors have; NOBODY stands for what happens outside of Halftone."""

Program = Callable[[Ports, Outside, Any], object]


class Player(Process):
    """A process with the actor whose it is."""

    def __init__(self, name: str, kind: str, role: str, *acts: Act) -> None:
        self.kind = kind
        self.role = role
        super().__init__(name, *acts)


@dataclass(frozen=True, eq=False)
class Actor:
    """Somebody who acts.

    ``worlds`` are those in which there is something to do (empty: all). ``again`` is what may be
    delivered once more after everything else: it must change nothing then.
    """

    name: str
    kind: str
    role: str
    acts: tuple[Act, ...]
    worlds: frozenset[str] = frozenset()
    again: Act | None = None
    process: Player = field(init=False)
    repeated: Player | None = field(init=False)

    def __post_init__(self) -> None:
        whose = self.kind, self.role
        object.__setattr__(self, "process", Player(self.name, *whose, *self.acts))
        repeated = Player(f"{self.name}, once more", *whose, self.again) if self.again else None
        object.__setattr__(self, "repeated", repeated)

    def anew(self) -> "Actor":
        """The same actor, who remembers nothing of how its code went before."""
        return replace(self)

    def is_in(self, world: str) -> bool:
        """Whether it acts in the world of that name."""
        return not self.worlds or world in self.worlds


EVENTS: dict[str, Callable[..., object]] = {}
"""What happens outside of Halftone, by name; each takes the world and its arguments."""


def event(happens: Callable[..., object]) -> Callable[..., object]:
    """Let programs speak of ``happens`` by its name."""
    EVENTS[happens.__name__] = happens
    return happens


def outside(world: "World", call: Call) -> object:
    """Let what is no port happen."""
    return EVENTS[call.method](world, *call.args)


def happens(name: str, *args: Any) -> Act:
    """An act that is one event outside."""
    return Act(lambda _, outside, __: outside(name, *args))


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` as its module has it when it is called: another one, where it was swapped."""

    def call(*args: Any, **kwargs: Any) -> Any:
        module = sys.modules[function.__module__]
        return getattr(module, function.__name__)(*args, **kwargs)

    return call
