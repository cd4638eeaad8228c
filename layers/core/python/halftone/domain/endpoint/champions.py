"""Champions that succeed each other, and versions that were taken back. Pure.

A version that was taken back is *barred*: no split, rule, mirror, probation or rollback leads to it
again. A release publishes its package as another version, which is admitted by its samples.
"""

from collections.abc import Sequence
from dataclasses import replace

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.policy_rules import without
from halftone.domain.endpoint.state import MOST_BARRED, MOST_PAST, Bar, EndpointState

_LONGEST = 100
"""Characters of a reason that a bar keeps: the audit has all of it."""


def bar(state: EndpointState, version: str | None, reason: str) -> EndpointState:
    """``state`` in which ``version`` is taken back: no setting leads to it any more.

    It can still be called by its number. Whatever share it had goes to the champion.
    """
    if version is None or state.bar_of(version):
        return state
    bars = (*state.barred, Bar(version, reason[:_LONGEST]))
    return replace(
        state,
        barred=_bounded(state, bars),
        serving=without(state.serving, version),
        past=_without(state.past, version),
    )


def admit(state: EndpointState, version: str) -> EndpointState:
    """``state`` in which requests may reach ``version``: it has answered its samples."""
    bars = tuple(bar for bar in state.barred if bar.version != version)
    return replace(state, placed=state.placing(version), barred=bars)


def succeed(state: EndpointState, champion: Deployment) -> EndpointState:
    """``state`` with another champion; the one before is the first that a rollback returns to.

    A share of its own that the new champion had is part of what the champion answers.
    """
    before, past = state.champion, _without(state.past, champion.version)
    if before and past is not None and before.version != champion.version:
        past = (*past, before)[-MOST_PAST:] if state.bar_of(before.version) is None else past
    serving = state.serving
    split = tuple(portion for portion in serving.split if portion.version != champion.version)
    mirror = serving.mirror
    return replace(
        state,
        champion=champion,
        past=past,
        flagged=state.flagged if before and before.package == champion.package else "",
        serving=replace(
            serving,
            split=split,
            mirror=None if mirror and mirror.version == champion.version else mirror,
        ),
    )


def forget(state: EndpointState, version: str) -> EndpointState:
    """``state`` in which nobody can return to ``version`` any more: it is gone from Lambda."""
    return replace(state, past=_without(state.past, version))


def bereave(state: EndpointState, reason: str) -> EndpointState:
    """``state`` without a champion: it is gone from Lambda, and so is all that could replace it.

    ``reason`` stays on record until another version is champion. The next release is a first one.
    """
    probation = state.serving.probation
    serving = without(state.serving, probation.version) if probation else state.serving
    return replace(state, champion=None, past=(), serving=serving, flagged=reason)


def _without(past: Sequence[Deployment] | None, version: str) -> tuple[Deployment, ...] | None:
    return None if past is None else tuple(d for d in past if d.version != version)


def _bounded(state: EndpointState, bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """``bars`` without the oldest of those versions that no setting can name."""
    reachable = {placed.version for placed in state.placed}
    others = [bar.version for bar in bars if bar.version not in reachable]
    dropped = set(others[: max(0, len(others) - MOST_BARRED)])
    return tuple(bar for bar in bars if bar.version not in dropped)
