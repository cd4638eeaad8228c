"""Settings of an endpoint that change without a deploy: recorded first, then asked of the platform.

Saying the same again asks the platform again, which is how a change that was recorded while the
platform did not answer is brought to its end.
"""

from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.capacity import Capacity, dump_capacity, patched_capacity
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.rollout.deploys import TAG
from halftone.ports import DeploymentPorts
from halftone.service.endpoints.quotas import check_quota
from halftone.service.unit_of_work import by_engine, commit, must_be_at, retry_on_conflict


def edit(
    ports: DeploymentPorts,
    endpoint: str,
    changes: Mapping[str, object],
    *,
    author: Author,
) -> EndpointState:
    """Change what ``changes`` names, by a merge patch.

    What the platform refuses is taken back, on record.

    Raises:
        NotFound: if there is no such endpoint.
        InvalidInput: naming the field and its value; nothing is changed then.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
        Conflict: if the platform refuses, in its words, or the owner group's quota does.
        Unavailable: if the platform did not answer: what is wanted is on record; ask again.
    """
    before, state = _record_limits(ports, endpoint, changes, author)
    try:
        ask(ports, endpoint, state.upkeep, changes)
    except Conflict as refused:
        if state.upkeep != before:
            _take_back(ports, endpoint, requested=state.upkeep, was=before, why=str(refused))
        raise
    return state


@retry_on_conflict
def _record_limits(
    ports: DeploymentPorts, endpoint: str, changes: Mapping[str, object], author: Author
) -> tuple[Capacity, EndpointState]:
    """The capacity before, and the state with the changes on record."""
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint)
    before = state.upkeep
    after = patched_capacity(before, changes)
    must_be_at(f"endpoint {endpoint!r}", state.revision, author.revision)
    deploys = state.deploys.set_by_people(_fields(before, changes))
    if (after, deploys) == (before, state.deploys):
        return before, state
    check_quota(ports, state, replace(state, upkeep=after))
    was, now = dump_capacity(before), dump_capacity(after)
    differing = [name for name in now if now[name] != was[name]]
    numbers: dict[str, object] = {name: {"was": was[name], "is": now[name]} for name in differing}
    after_all = commit(
        ports,
        state,
        replace(state, upkeep=after, deploys=deploys),
        action="settings",
        author=author.with_default(f"{', '.join(differing)} changed"),
        numbers=numbers,
    )
    return before, after_all


def _fields(upkeep: Capacity, changes: Mapping[str, object]) -> list[str]:
    """The fields of a declaration that ``changes`` to ``upkeep`` sets."""
    tags = changes.get("tags", {})
    names = tags if isinstance(tags, Mapping) else upkeep.tags
    return [*(name for name in changes if name != "tags"), *(f"{TAG}{name}" for name in names)]


def ask(ports: DeploymentPorts, endpoint: str, capacity: Capacity, named: Container[str]) -> None:
    """Ask the platform for those limits of ``wanted`` that are named.

    Raises:
        Conflict: if the platform refuses, in its words.
        Unavailable: if the platform did not answer.
    """
    if "concurrency" in named:
        ports.scaling.reserve(endpoint, capacity.concurrency)
    if "throttle" in named:
        ports.gate.throttle(endpoint, capacity.throttle)


def _take_back(
    ports: DeploymentPorts, endpoint: str, *, requested: Capacity, was: Capacity, why: str
) -> None:
    """Put on record what is in force again, and see to it that it is."""
    _record_refusal(ports, endpoint, requested, was, why)
    # Of two settings one may have been taken and the other refused.
    with suppress(Conflict):
        ports.scaling.reserve(endpoint, was.concurrency)


@retry_on_conflict
def _record_refusal(
    ports: DeploymentPorts, endpoint: str, requested: Capacity, was: Capacity, why: str
) -> None:
    state = ports.store.load(endpoint)
    if state is None or (state.upkeep.concurrency, state.upkeep.throttle) != (
        requested.concurrency,
        requested.throttle,
    ):
        return
    back = replace(state.upkeep, concurrency=was.concurrency, throttle=was.throttle)
    commit(
        ports,
        state,
        replace(state, upkeep=back),
        action="refused",
        author=by_engine(why),
        numbers={"concurrency": was.concurrency, "throttle": str(was.throttle)},
    )
