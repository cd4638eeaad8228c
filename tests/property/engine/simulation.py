"""The engine's processes as programs that can stop, crash or be overtaken between any two calls.

A process runs the real use cases on ports that record. Its code sees the world through those calls
alone, so that where it stands is fully told by the answers it was given: to take one more step, it
is run again from its beginning on the answers so far, until it asks for something new. Answers seen
before are remembered in a tree, so that the code runs once for each new answer and not once for
each schedule.

Nothing here knows what is right: see ``promises``. Nothing here chooses: see ``exploration``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, cast

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.evidence import Evidence
from halftone.ports import Ports

INSTANT = {"clock", "metrics", "packages", "catalogue", "registry"}
"""Ports whose answers no other process can change: asking them is no step of its own. Releases
write the registry, but neither a decision nor a promise of the engine rests on what it says."""

FIXED = INSTANT - {"clock", "registry", "metrics"}
"""Those of them that answer the same question the same way at all times."""

OUTSIDE = "outside"
"""What is no port: time, alarms, deploys, people at consoles."""

READS = frozenset(
    {"read", "both", "load", "load_evidence", "deployments", "audit", "status", "invoke"}
)
"""Methods without an effect on anything that another process could see."""


@dataclass(frozen=True)
class Call:
    """One call of a port, as a process makes it."""

    port: str
    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The call without its arguments."""
        return f"{self.port}.{self.method}"

    @property
    def reads(self) -> bool:
        """Whether it has no effect."""
        return self.method in READS or self.port in INSTANT


@dataclass(frozen=True)
class Answer:
    """What came back: a value, an error, or (``crash``) nothing, because the process died."""

    value: object = None
    error: Exception | None = None
    crash: bool = False


class Crash(BaseException):
    """The process dies."""


class _Asks(BaseException):
    """The program asks for something that it has no answer to yet."""

    def __init__(self, call: Call) -> None:
        self.call = call


Outside = Callable[..., Any]
"""How a program speaks of what is no port: ``outside("pass_by", 10)``."""

Program = Callable[[Ports, Outside, Any], object]
"""Code of one invocation. Its last argument is what the act before it ended with."""


@dataclass(frozen=True)
class Act:
    """One invocation of a process, started again after a crash or an error so many times.

    ``errors`` is whether an error starts it again; after a crash it always is.
    """

    program: Program
    again: int = 0
    errors: bool = True


@dataclass(eq=False)
class Standing:
    """Where a process stands: the call it is about to make, or None when it is through."""

    call: Call | None
    result: object = None
    heard: tuple[tuple[Call, Answer], ...] = ()
    _begin: "_Beginning | None" = None
    _after: dict[object, "Standing"] = field(default_factory=dict)
    _ended: dict[object, "Ended"] = field(default_factory=dict)

    def given(self, answer: Answer) -> "Standing":
        """Where the process stands after that answer."""
        assert self.call is not None
        assert self._begin is not None
        key = None if self.call.port in FIXED else identity(answer)
        if key not in self._after:
            standing, ended = self._begin.go_on((*self.heard, (self.call, answer)))
            self._after[key] = standing
            if ended:
                self._ended[key] = ended
        return self._after[key]

    def ended(self, answer: Answer) -> "Ended | None":
        """The invocation that ends with that answer, after ``given``; None if it goes on."""
        return self._ended.get(None if self.call and self.call.port in FIXED else identity(answer))

    @property
    def process(self) -> "Process":
        """Whose standing it is."""
        assert self._begin is not None
        return self._begin.process

    @property
    def luggage(self) -> Any:
        """What the act before this one ended with."""
        assert self._begin is not None
        return self._begin.luggage


@dataclass(frozen=True)
class Ended:
    """An invocation that has ended: what it was told, and how it ended (an error, perhaps)."""

    process: "Process"
    luggage: Any
    heard: tuple[tuple[Call, Answer], ...]
    result: object


class Process:
    """Acts, one after the other. Nothing passes from one to the next but what the first ends with.

    That an invocation knows nothing of the one before it is how Lambda works; it also makes all
    histories that lead to the same invocation one.
    """

    def __init__(self, name: str, *acts: Act) -> None:
        self.name = name
        self._acts = acts
        self._begun: dict[object, Standing] = {}
        self.start = self.at(0, acts[0].again, None)

    def at(self, act: int, again: int, luggage: Any) -> Standing:
        """Where the process stands at the beginning of an act."""
        key = (act, again, identity(luggage))
        if key not in self._begun:
            beginning = _Beginning(self, self._acts[act].program, act, again, luggage)
            self._begun[key], _ = beginning.go_on(())
        return self._begun[key]

    def ended(self, beginning: "_Beginning", result: object) -> Standing:
        """Where the process stands when an act has ended with ``result``."""
        failed = isinstance(result, BaseException)
        repeats = isinstance(result, Crash) or self._acts[beginning.act].errors
        if failed and beginning.again and repeats:
            return self.at(beginning.act, beginning.again - 1, beginning.luggage)
        if beginning.act + 1 == len(self._acts):
            return Standing(None, result)
        following = beginning.act + 1
        return self.at(following, self._acts[following].again, None if failed else result)


@dataclass(frozen=True, eq=False)
class _Beginning:
    """One invocation, before it was given any answer."""

    process: Process
    program: Program
    act: int
    again: int
    luggage: Any

    def go_on(self, heard: tuple[tuple[Call, Answer], ...]) -> tuple[Standing, Ended | None]:
        """Run the program on what it heard until it asks for more, or ends."""
        script = _Script(answer for _, answer in heard)
        _reading[:] = [script]
        try:
            result = self.program(script.ports, script.outside, self.luggage)
        except _Asks as asks:
            return Standing(asks.call, None, heard, self), None
        except (Exception, Crash) as error:  # noqa: BLE001 - a process may end in any way
            result = error
        ended = Ended(self.process, self.luggage, heard, result)
        return self.process.ended(self, result), ended


class _Script:
    """The recorded answers, handed out in order."""

    def __init__(self, answers: Iterator[Answer]) -> None:
        self._answers = answers
        self.ports = _recording()

    def outside(self, event: str, *args: Any) -> Any:
        return self.ask(Call(OUTSIDE, event, args))

    def ask(self, call: Call) -> Any:
        answer = next(self._answers, None)
        if answer is None:
            raise _Asks(call)
        if answer.crash:
            raise Crash
        if answer.error is not None:
            # The same error is raised in many runs: it must not drag their stacks along.
            answer.error.__traceback__ = answer.error.__context__ = None
            raise answer.error
        return answer.value


class _Port:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        name = self._name
        return lambda *args, **kwargs: _reading[0].ask(Call(name, method, args, kwargs))


_reading: list["_Script"] = []
"""The script that the program which runs now is given its answers from: one runs at a time."""


@cache
def _recording() -> Ports:
    """All ports, each of which asks the script that is being read."""
    ports = {name: _Port(name) for name in Ports.__dataclass_fields__}
    given: dict[str, Any] = {"metric_lag": timedelta(0), "key_lag": timedelta(0), "request": ""}
    given |= {"new_secret": lambda: "5ec2" * 16}
    return Ports(**{**cast(Any, ports), **given})


def identity(value: object) -> object:
    """A hashable stand-in for a value: equal for equal values, and cheap for large ones."""
    match value:
        case Answer():
            return (identity(value.value), repr(value.error), value.crash)
        case EndpointState():
            rollout = value.rollout
            told = rollout and (rollout.phase, rollout.share, rollout.target, rollout.challenger)
            return (value.revision, value.audit, value.anchor, told)
        case Evidence():
            counted = (value.challenger, value.champion, value.beside, value.set_aside)
            return (value.rollout, value.until, value.stage, value.in_stage, counted, value.doubts)
        case tuple() | list():
            return tuple(identity(item) for item in value)
        case dict():
            return tuple(sorted((name, identity(item)) for name, item in value.items()))
    # An audit record is told by its hash; everything else that ports answer with is small.
    value = getattr(value, "hash", value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value
