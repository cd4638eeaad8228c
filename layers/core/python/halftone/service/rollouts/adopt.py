"""Adopt an endpoint after its table was restored from a backup: keep the aliases or the record.

While the aliases refer to a later record than the table has, nothing is written to AWS (see
``reconcile.must_be_newest``). The table does not show which records it lost, so a person decides
which of the two is right.
"""

from dataclasses import replace
from enum import StrEnum

from halftone.domain.audit import Author
from halftone.domain.endpoint.champions import succeed
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, Conflict, NotFound, RecordRestored
from halftone.domain.model.manifest import PackageRef
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, ReadAliases, Routing
from halftone.ports import RolloutPorts
from halftone.service.rollouts.past_champions import exists, with_past
from halftone.service.rollouts.reconcile import RESTORED, anchor_of, must_be_newest, overwrite
from halftone.service.unit_of_work import commit, retry_on_conflict

ADOPTED = "adopted"
"""The audit's word for a record that follows the aliases."""


class Keep(StrEnum):
    """What to keep: the versions in the aliases, or the champion on record."""

    ALIASES = "aliases"
    RECORD = "record"


@retry_on_conflict
def adopt(
    ports: RolloutPorts,
    endpoint: str,
    keep: Keep,
    *,
    author: Author,
) -> EndpointState:
    """End the standstill of an endpoint whose record is older than its aliases.

    ``ALIASES``: the version that answers most is champion on record. ``RECORD``: the champion on
    record answers. Either way it answers alone, no rollout is under way afterwards, and no split,
    rule or mirror leads to another version: people set them again.

    Raises:
        NotFound: if there is no such endpoint.
        Conflict: if the record is not older than the aliases, or what is to be kept is no version
            that Lambda has.
    """
    aliases = ports.aliases.both(endpoint)
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    if not _held(ports, state, aliases):
        raise Conflict(f"the record of {endpoint!r} is not older than its aliases")
    champion = _kept(ports, state, aliases, keep)
    return _adopted(ports, state, aliases, champion, author=author)


def _held(ports: RolloutPorts, state: EndpointState, aliases: ReadAliases) -> bool:
    try:
        must_be_newest(ports, state, aliases)
    except RecordRestored:
        return True
    return False


def _kept(
    ports: RolloutPorts, state: EndpointState, aliases: ReadAliases, keep: Keep
) -> Deployment:
    endpoint = state.endpoint
    if keep is Keep.RECORD:
        if state.champion is None:
            raise Conflict(f"the record of {endpoint!r} has no champion: keep the aliases")
        if not exists(ports, endpoint, state.champion.version):
            problem = f"version {state.champion.version} of {endpoint!r} is gone from Lambda"
            raise Conflict(f"{problem}: keep the aliases")
        return state.champion
    version = aliases.live.routing.main
    if version == UNRELEASED.main:
        raise Conflict(f"the alias of {endpoint!r} is at no version yet: keep the record")
    deployment = next((d for d in ports.store.deployments(endpoint) if d.version == version), None)
    if deployment is not None and not deployment.deleted:
        return deployment
    # Published after what the table was restored to: the version itself says what it loads.
    pointer = ports.versions.pointer(endpoint, version)
    package = PackageRef(ports.packages.manifest(pointer.digest).name, pointer.digest)
    return Deployment(version, package, "", pointer.rollout, ports.clock.now())


def _adopted(
    ports: RolloutPorts,
    state: EndpointState,
    aliases: ReadAliases,
    champion: Deployment,
    *,
    author: Author,
) -> EndpointState:
    running = state.active
    if running and running.phase is not Phase.ROLLING_BACK:
        running = replace(running.to(Phase.ROLLING_BACK, target=0.0), reason=author.reason)
    held = replace(
        state, restored=state.restored or author.reason, rollout=running or state.rollout
    )
    if held != state:
        # On record first: a crash below leaves the standstill, and not half of what was asked for.
        state = commit(ports, state, held, action=RESTORED, author=author)
    over = state.rollout
    if over and over.phase is Phase.ROLLING_BACK:
        over = over.to(Phase.ROLLED_BACK, share=0.0, mirror=0.0)
    home = Routing(champion.version)
    overwrite(ports, state, aliases, home)
    read = ports.aliases.both(state.endpoint)
    if (read.live.routing, read.challenger.routing) != (home, home):
        raise ConcurrentWrite(f"an alias of {state.endpoint!r} was changed at the same time")
    after = succeed(with_past(ports, state), champion)
    quiet = replace(state.serving, split=(), rules=(), mirror=None, probation=None)
    return commit(
        ports,
        state,
        replace(
            after,
            rollout=over,
            serving=quiet,
            placed=after.placing(champion.version),
            anchor=anchor_of(state),
            restored="",
        ),
        action=ADOPTED,
        author=author,
        numbers={"champion": champion.version, "alias": str(aliases.live.routing)},
        deployment=champion,
    )
