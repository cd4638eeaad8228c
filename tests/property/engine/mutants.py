"""The engine's use cases, as they are or with one line of their source changed.

A mutant is the same package of use cases, loaded once more under the same names with one text
replaced, beside the one that everybody else has imported. It shares ports and domain with it.
"""

import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import SourceLoader
from typing import Any

PACKAGE = "halftone.service"


@dataclass(frozen=True)
class Engine:
    """The use cases that the simulation calls."""

    advance: Callable[..., Any]
    release: Callable[..., Any]
    retire: Callable[..., Any]
    roll_back: Callable[..., Any]
    operate: Any
    """The module of what a person may say to a rollout."""
    revert: Callable[..., Any]
    seen: Any
    """The class of what a return is asked against."""


def engine() -> Engine:
    """The engine as it is."""
    with _apart():
        return _imported()


def mutant(module: str, old: str, new: str, *also: tuple[str, str]) -> Engine:
    """The engine with ``new`` in place of ``old`` in the source of ``module``; ``also`` likewise.

    Raises:
        LookupError: if ``old`` does not stand there exactly once: the mutation is out of date.
    """
    with _apart():
        target = _full_name(module)
        spec = importlib.util.find_spec(target)
        assert spec is not None
        assert isinstance(spec.loader, SourceLoader)
        source = spec.loader.get_source(target) or ""
        mutated = source
        for before, after in ((old, new), *also):
            if source.count(before) != 1:
                raise LookupError(f"{target} has {source.count(before)} times {before!r}")
            mutated = mutated.replace(before, after)
        changed = importlib.util.module_from_spec(spec)
        sys.modules[target] = changed
        exec(compile(mutated, f"{spec.origin} (mutant)", "exec"), changed.__dict__)  # noqa: S102
        return _imported()


@contextmanager
def _apart() -> Iterator[None]:
    """Import use cases afresh inside, and find the old ones again afterwards."""
    kept = {name: found for name, found in sys.modules.items() if _use_case(name)}
    parent = sys.modules[PACKAGE]
    attributes = dict(vars(parent))
    for name in kept:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [n for n in sys.modules if _use_case(n) and n not in kept]:
            del sys.modules[name]
        sys.modules.update(kept)
        vars(parent).update(attributes)


def _use_case(module: str) -> bool:
    """Whether it is a module of use cases."""
    return module.startswith(f"{PACKAGE}.")


def _full_name(module: str) -> str:
    """The full name of a module of use cases, whichever room it is in."""
    rooms = importlib.import_module(PACKAGE).__path__
    (name,) = (
        info.name
        for info in pkgutil.walk_packages(rooms, f"{PACKAGE}.")
        if not info.ispkg and info.name.endswith(f".{module}")
    )
    return name


def _imported() -> Engine:
    def use_case(module: str) -> Any:
        return importlib.import_module(_full_name(module))

    observe = use_case("observe")
    observe.judge = _once(observe.judge)
    return Engine(
        advance=use_case("advance").advance,
        release=use_case("release").release,
        retire=use_case("retire").retire,
        roll_back=use_case("rollback").roll_back,
        operate=use_case("operate"),
        revert=use_case("revert").revert,
        seen=use_case("revert").Seen,
    )


def _once(judge: Callable[..., Any]) -> Callable[..., Any]:
    """``judge``, which is pure and by far the longest part of a tick, once for equal arguments."""
    judged: dict[str, Any] = {}

    def judge_once(*arguments: object) -> Any:
        key = repr(arguments)
        if key not in judged:
            judged[key] = judge(*arguments)
        return judged[key]

    return judge_once
