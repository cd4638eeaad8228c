"""Settings of an endpoint that change without a deploy: recorded first, then asked of the platform.

Saying the same again asks the platform again, which is how a change that was recorded while the
platform did not answer is brought to its end.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, Refused
from halftone.domain.upkeep import Upkeep, patched_upkeep, upkeep_as_given
from halftone.service.ports import Parts
from halftone.service.record import ENGINE, answered, change, made_now, must_be_at, until_written


def edit(
    parts: Parts,
    endpoint: str,
    changes: Mapping[str, object],
    *,
    actor: str,
    reason: str,
    revision: int | None = None,
    key: str = "",
    new: bool = False,
    owner: str | None = None,
) -> EndpointState:
    """Change what ``changes`` names, by a merge patch.

    ``key`` names a request that can come twice: asked again, it changes nothing, whatever was
    changed since. ``new``: the endpoint may be one that is just being made, for the group
    ``owner``. What the platform refuses is taken back, on record.

    Raises:
        NotFound: if there is no such endpoint.
        InvalidInput: naming the field and its value; nothing is changed then.
        Outdated: if the endpoint is not at ``revision`` (None: any).
        Refused: if the platform refuses, in its words.
        Unavailable: if the platform did not answer: what is wanted is on record; ask again.
    """
    before = Upkeep()
    replayed = False

    def attempt() -> EndpointState:
        nonlocal before, replayed
        state = parts.store.load(endpoint)
        if state is None and not new:
            raise NotFound("endpoint", endpoint)
        if state is None:
            state = made_now(parts, endpoint, actor=actor, owner=owner)
        before = state.upkeep
        after = patched_upkeep(before, changes)
        if key and answered(parts, endpoint, key):
            replayed = True
            return state
        must_be_at(f"endpoint {endpoint!r}", state.revision, revision)
        if after == before:
            return state
        was, now = upkeep_as_given(before), upkeep_as_given(after)
        differing = [name for name in now if now[name] != was[name]]
        numbers: dict[str, object] = {
            name: {"was": was[name], "is": now[name]} for name in differing
        }
        return change(
            parts,
            state,
            replace(state, upkeep=after),
            action="settings",
            actor=actor,
            reason=reason or f"{', '.join(differing)} changed",
            numbers={**numbers, **({"request": key} if key else {})},
        )

    state = until_written(endpoint, attempt)
    if replayed and state.upkeep != patched_upkeep(state.upkeep, changes):
        return state  # somebody has changed it since: the later word stands
    try:
        _ask(parts, endpoint, state.upkeep, changes)
    except Refused as refused:
        if state.upkeep != before:
            _take_back(parts, endpoint, wanted=state.upkeep, was=before, why=str(refused))
        raise
    return state


def declare_upkeep(
    parts: Parts,
    endpoint: str,
    *,
    now: Mapping[str, object],
    before: Mapping[str, object],
    actor: str,
    key: str,
    owner: str | None = None,
) -> None:
    """Apply what ``endpoint.yaml`` says otherwise than ``before``, and leave the rest as it is.

    Raises:
        HalftoneError: as ``edit`` says.
    """
    changes: dict[str, object] = {name: None for name in before if name not in now}
    changes |= {name: value for name, value in now.items() if before.get(name) != value}
    if "tags" in now and "tags" in changes:
        gone = {name: None for name in _tags(before) if name not in _tags(now)}
        changes["tags"] = {**_tags(now), **gone}
    if changes:
        words = f"endpoint.yaml changed in {', '.join(sorted(changes))}"
        edit(parts, endpoint, changes, actor=actor, reason=words, key=key, new=True, owner=owner)


def _tags(declared: Mapping[str, object]) -> Mapping[str, object]:
    tags = declared.get("tags")
    return tags if isinstance(tags, Mapping) else {}


def _ask(parts: Parts, endpoint: str, wanted: Upkeep, named: Mapping[str, object]) -> None:
    """What the platform must do about the settings that are named."""
    if "concurrency" in named:
        parts.scaling.reserve(endpoint, wanted.concurrency)
    if "throttle" in named:
        parts.gate.throttle(endpoint, wanted.throttle)


def _take_back(parts: Parts, endpoint: str, *, wanted: Upkeep, was: Upkeep, why: str) -> None:
    """Put on record what is in force again, and see to it that it is."""

    def attempt() -> None:
        state = parts.store.load(endpoint)
        if state is None or (state.upkeep.concurrency, state.upkeep.throttle) != (
            wanted.concurrency,
            wanted.throttle,
        ):
            return
        back = replace(state.upkeep, concurrency=was.concurrency, throttle=was.throttle)
        change(
            parts,
            state,
            replace(state, upkeep=back),
            action="refused",
            actor=ENGINE,
            reason=why,
            numbers={"concurrency": was.concurrency, "throttle": str(was.throttle)},
        )

    until_written(endpoint, attempt)
    # Of two settings one may have been taken and the other refused.
    with suppress(Refused):
        parts.scaling.reserve(endpoint, was.concurrency)
