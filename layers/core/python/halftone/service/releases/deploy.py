"""A deploy: what ``Custom::Release`` asks for when CloudFormation creates, updates or deletes it.

A deploy is merged three ways (``domain.rollout.deploys``). It is checked as a whole before anything
is written: the settings, the owner, the limits, the plan, the package, and the mode. Then:

1. limits that the platform has to accept are recorded and asked for;
2. one write sets all other fields, makes the resource the endpoint's owner, and fences a rollout
   that the deploy ends;
3. the release starts.

Each write keeps in the journal what it changed. An error after a write takes the deploy back at
once; a later failure of the stack takes it back when CloudFormation returns to the declaration
before. Then exactly what the deploy changed, and nobody has set since, is as it was.

The stack's status tells a return from a deploy of an old file. It is read after the state: each
return is recorded, so that a deploy which was held up between the two can't be written after it.
Where the status can't be read, what looks like a return is one: a return releases nothing.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from halftone.domain.audit import Author
from halftone.domain.endpoint.deploy_fields import (
    live_fields,
)
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import (
    ConcurrentWrite,
    Conflict,
    Forbidden,
    HalftoneError,
    InvalidInput,
    NotFound,
    RecordRestored,
    Unavailable,
)
from halftone.domain.rollout.deploys import (
    LIMITS,
    Claim,
    DeployRecord,
    Deploys,
)
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import TrafficPolicy
from halftone.ports import Ports
from halftone.service.endpoints.capacity import ask
from halftone.service.endpoints.retire import retire
from halftone.service.releases.deploy_events import Deletion, Deploy, DeployResult, Resource
from halftone.service.releases.merge import Merging, serves
from halftone.service.releases.release import (
    start,
)
from halftone.service.releases.undo import take_back
from halftone.service.rollouts.probation import settled
from halftone.service.rollouts.rollback import roll_back
from halftone.service.unit_of_work import answered, commit, made_now, retry_on_conflict

_RETURNING = "UPDATE_ROLLBACK"
_RETURN = "CloudFormation returns to the declaration before"
_ENDING = ("ROLLBACK", "DELETE")
_NO = (Conflict, NotFound, InvalidInput, Forbidden)


def apply_deploy(ports: Ports, deploy: Deploy) -> DeployResult:
    """Apply what the deploy declares, or take back what it returns from.

    Safe to call any number of times with the same event.

    Raises:
        HalftoneError: as ``service.endpoints.policy``, ``service.endpoints.capacity`` and
            ``service.releases.release`` say. What this deploy has changed by then is taken back.
        Conflict: if the endpoint belongs to another stack, or another group than the declaration
            before says; or if the stack is being deleted.
    """
    return _Application(ports, deploy).apply()


@retry_on_conflict
def remove_deploy(ports: Ports, deletion: Deletion) -> EndpointState | None:
    """Retire the endpoint, if it belongs to the resource that is deleted; None if it does not.

    A resource that took over a serving endpoint in a deploy that failed gives it back instead.

    Raises:
        Unavailable: if the resource took over a serving endpoint, and the stack's status, by which
            one can tell whether that failed, can't be read. Nothing is changed then.
    """
    state = ports.store.load(deletion.endpoint)
    if state is None or not _owns(state, deletion.resource, deletion.endpoint):
        return None
    if answered(ports, deletion.endpoint, deletion.request):
        return None
    deploys = state.deploys
    claimed = deploys.record(deploys.claim.request) if deploys.claim else None
    if claimed is None or not claimed.adopts or not _rolls_back(ports, deletion.resource):
        return retire(
            ports,
            deletion.endpoint,
            author=Author(deletion.actor, "its stack was deleted"),
            key=deletion.request,
        )
    index = deploys.journal.index(claimed)
    return take_back(
        ports,
        state,
        tuple(reversed(deploys.journal[index:])),
        author=Author(deletion.actor, _RETURN),
        key=deletion.request,
        to=Deploys(claimed.claim, claimed.declared, claimed.before),
    )


class _Application(Merging):
    """One deploy on its way."""

    def __init__(self, ports: Ports, deploy: Deploy) -> None:
        super().__init__(ports, deploy)
        self._wrote = False
        self._served_before: TrafficPolicy | None = None

    def apply(self) -> DeployResult:
        """See ``apply_deploy``."""
        physical = self._physical
        if not self._written(self._limit):
            return DeployResult(physical)
        try:
            self._ask_for_limits()
            if not self._written(self._set):
                return DeployResult(physical)
            return DeployResult(physical, self._released())
        except HalftoneError as error:
            # An event that came again has done nothing that could be taken back: it may be about a
            # deploy that has succeeded.
            if self._wrote:
                with suppress(HalftoneError):
                    self._undo(str(error))
            raise

    # What is written -----------------------------------------------------------------------

    @retry_on_conflict
    def _written(self, write: Callable[[EndpointState, DeployRecord | None], None]) -> bool:
        """Whether the deploy stands once ``write`` has made its write, or had none to make."""
        ports, deploy = self._parts, self._deploy
        state = ports.store.load(deploy.endpoint)
        record = state.deploys.record(deploy.key) if state else None
        if record and record.fingerprint:
            return True
        if state and record is None:
            earlier = answered(ports, deploy.endpoint, deploy.key)
            if earlier and earlier.numbers.get("refused"):
                raise Conflict(earlier.reason)
            undone = answered(ports, deploy.endpoint, f"{deploy.key}/undone")
            if undone:
                # Taken back at once: its event, delivered again, has failed, too.
                raise Conflict(undone.reason)
            if earlier:
                return False
        if record is None and not self._goes_on(state):
            return False
        try:
            write(state or made_now(ports, deploy.endpoint, actor=deploy.actor), record)
        except _NO as error:
            if state:
                self._remember(state, error)
            raise
        return True

    def _limit(self, state: EndpointState, record: DeployRecord | None) -> None:
        """Record the limits that change; nothing is written if none does."""
        upkeep = self._merged(state).after.upkeep
        limited = replace(
            state,
            upkeep=replace(state.upkeep, concurrency=upkeep.concurrency, throttle=upkeep.throttle),
        )
        if limited.upkeep != state.upkeep:
            self._commit(state, limited, record, action="settings")

    def _set(self, state: EndpointState, record: DeployRecord | None) -> None:
        """Set every field, and fence the rollout that ends."""
        deploy = self._deploy
        merged = self._merged(state)
        after, ending = merged.after, merged.ending
        if ending and ending.phase is not Phase.ROLLING_BACK:
            reason = f"superseded by a deploy of {deploy.now.digest[:12]} ({deploy.request})"
            fenced = ending.to(
                Phase.ROLLING_BACK, target=0.0, promoting=ending.target == 100.0, reason=reason
            )
            after = replace(after, rollout=fenced)
        record = self._record_for(state, record)
        record = replace(record, fingerprint=deploy.now.fingerprint)
        self._commit(state, after, record, action="declared")
        self._served_before = state.serving

    def _commit(
        self,
        state: EndpointState,
        after: EndpointState,
        record: DeployRecord | None,
        *,
        action: str,
    ) -> None:
        deploy = self._deploy
        was, now = live_fields(state), live_fields(after)
        record = self._record_for(state, record).changing(was, now)
        resource, claim = deploy.resource, state.deploys.claim
        if claim is None or (claim.stack, claim.physical) != (resource.stack, self._physical):
            claim = Claim(resource.stack, resource.logical, self._physical, deploy.key)
        deploys = replace(state.deploys, claim=claim).having(record)
        done = bool(record.fingerprint)
        if done:
            deploys = replace(deploys, declared=deploy.now, fingerprint=record.fingerprint)
        names = sorted(n for n in {*was, *now} if was.get(n) != now.get(n))
        numbers = {name: {"was": was.get(name), "is": now.get(name)} for name in names}
        message = f"endpoint.yaml changed in {', '.join(names)}" if names else "deployed as before"
        commit(
            self._parts,
            state,
            replace(after, deploys=deploys),
            action=action,
            author=Author(deploy.actor, message),
            numbers={**numbers, "request": deploy.key if done else f"{deploy.key}/limits"},
        )
        self._wrote = True

    def _record_for(self, state: EndpointState, record: DeployRecord | None) -> DeployRecord:
        if record:
            return record
        base, deploys = self._base_at(state), state.deploys
        adopts = self._deploy.before is None and state.champion is not None
        return DeployRecord(
            request=self._deploy.key,
            before=deploys.fingerprint or (base.fingerprint if base else ""),
            previous=self._previous(state),
            claim=deploys.claim,
            adopts=adopts,
            declared=deploys.declared if adopts else None,
        )

    def _ask_for_limits(self) -> None:
        state = self._parts.store.load(self._deploy.endpoint)
        record = state.deploys.record(self._deploy.key) if state else None
        limits = [name for name in LIMITS if record and name in record.changes]
        if state and limits:
            ask(self._parts, state.endpoint, state.upkeep, limits)

    def _released(self) -> str:
        """The id of the rollout that brings the declared model; "" for none."""
        deploy = self._deploy
        state = self._parts.store.load(deploy.endpoint)
        record = state.deploys.record(deploy.key) if state else None
        if state is None or record is None:
            return ""  # it was taken back meanwhile
        settled(self._parts, self._served_before, state)
        self._end_what_is_fenced(state)
        request = replace(self._release.request, previous=record.previous)
        rollout = start(self._parts, replace(self._release, request=request))
        return rollout.id if rollout else ""

    def _end_what_is_fenced(self, state: EndpointState) -> None:
        """Finish the rollback of a rollout that this deploy, or somebody else, has fenced."""
        deploy, fenced = self._deploy, state.active
        if fenced and fenced.phase is Phase.ROLLING_BACK:
            author = Author(deploy.actor, fenced.reason)
            roll_back(self._parts, deploy.endpoint, author=author, rollout=fenced.id)

    @retry_on_conflict
    def _undo(self, why: str) -> None:
        deploy = self._deploy
        state = self._parts.store.load(deploy.endpoint)
        record = state.deploys.record(deploy.key) if state else None
        if state and record:
            to = Deploys(record.claim, self._base, record.before)
            key = f"{deploy.key}/undone"
            take_back(
                self._parts, state, (record,), author=Author(deploy.actor, why), key=key, to=to
            )

    def _remember(self, state: EndpointState, error: HalftoneError) -> None:
        """Keep what the deploy was refused for, so that its event is refused again."""
        numbers = {"request": self._deploy.key, "refused": True}
        author = Author(self._deploy.actor, str(error))
        commit(self._parts, state, state, action="asked", author=author, numbers=numbers)

    # Which way it goes ---------------------------------------------------------------------

    def _goes_on(self, state: EndpointState | None) -> bool:
        """Whether the event is a deploy; a return is carried out here."""
        deploy, ports = self._deploy, self._parts
        status = _status(ports, deploy.resource.stack)
        if status and status.startswith(_ENDING):
            raise Conflict(f"stack {deploy.resource.stack} is {status}: nothing is deployed by it")
        if self._returns(state, status):
            self._return(state)
            return False
        if state is None:
            return True
        if state.restored:
            raise RecordRestored(state.restored)
        self._check_name_is_free(state)
        claim = state.deploys.claim
        foreign = claim is not None and claim.stack != deploy.resource.stack
        if foreign and claim and deploy.before is not None:
            raise Conflict(
                f"endpoint {state.endpoint!r} belongs to {claim.resource} of {claim.stack}: deploy "
                "that stack, or delete it first"
            )
        skipped = self._skipped(state)
        if skipped:
            # A return that CloudFormation was told to leave out, or that was lost.
            to = Deploys(state.deploys.claim, deploy.before, skipped[-1].before)
            key = f"{deploy.key}/skipped"
            author = Author(deploy.stack, _RETURN)
            take_back(ports, state, skipped, author=author, key=key, to=to)
            raise ConcurrentWrite("an earlier deploy was taken back: look again")
        return True

    def _skipped(self, state: EndpointState) -> Sequence[DeployRecord]:
        deploy = self._deploy
        if deploy.before is None or deploy.renamed:
            return ()
        return state.deploys.after(deploy.before.fingerprint) or ()

    def _check_name_is_free(self, state: EndpointState) -> None:
        home = state.deploys.claim is not None and self._is_home(state)
        if self._deploy.renamed and serves(state) and not home:
            raise Conflict(
                f"endpoint {state.endpoint!r} is there already: choose another name than that, or "
                "delete it first"
            )

    def _is_home(self, state: EndpointState) -> bool:
        """Whether this resource owns the endpoint already."""
        claim, resource = state.deploys.claim, self._deploy.resource
        if claim is None:
            return state.deploys == Deploys()
        return (claim.stack, claim.resource) == (resource.stack, resource.logical)

    def _returns(self, state: EndpointState | None, status: str | None) -> bool:
        deploy = self._deploy
        if status is not None:
            return status.startswith(_RETURNING)
        if state is None or deploy.before is None:
            return False
        if deploy.renamed:
            return state.champion is not None and self._is_home(state)
        return bool(state.deploys.after(deploy.now.fingerprint))

    def _return(self, state: EndpointState | None) -> None:
        deploy = self._deploy
        if deploy.before is None:
            raise Conflict(f"stack {deploy.resource.stack} returns: nothing is made by it")
        claim = state.deploys.claim if state else None
        if state is None or (claim and claim.stack != deploy.resource.stack):
            return
        deploys = state.deploys
        records = deploys.after(deploy.now.fingerprint)
        on_record = records is not None
        # A resource that took the endpoint over in a deploy that is undone owns it no more.
        moved = [record for record in records or () if record.adopts]
        to = Deploys(
            moved[-1].claim if moved else deploys.claim,
            deploy.now if on_record else deploys.declared,
            deploy.now.fingerprint if on_record else deploys.fingerprint,
        )
        author = Author(deploy.stack, _RETURN)
        take_back(self._parts, state, records or (), author=author, key=deploy.key, to=to)

    @cached_property
    def _physical(self) -> str:
        """The resource's physical id: the same for the same event."""
        deploy = self._deploy
        if deploy.before is not None and not deploy.renamed:
            return deploy.resource.physical
        state = self._parts.store.load(deploy.endpoint)
        if deploy.renamed and state and state.champion and self._is_home(state):
            claim = state.deploys.claim
            return claim.physical if claim else legacy_physical(deploy.endpoint)
        named = hashlib.blake2b(deploy.request.encode(), digest_size=8).hexdigest()
        return f"{legacy_physical(deploy.endpoint)}-{named}"


def legacy_physical(endpoint: str) -> str:
    """The physical id of every resource that declared ``endpoint`` before owners were recorded."""
    return f"release-of-{endpoint}"


def _owns(state: EndpointState, resource: Resource, endpoint: str) -> bool:
    claim = state.deploys.claim
    if claim is None:
        return resource.physical == legacy_physical(endpoint)
    return (claim.stack, claim.physical) == (resource.stack, resource.physical)


def _status(ports: Ports, stack: str) -> str | None:
    """The stack's status; None if it can't be read."""
    try:
        return ports.stacks.status(stack)
    except (Unavailable, NotFound):
        return None


def _rolls_back(ports: Ports, resource: Resource) -> bool:
    """Whether the resource is deleted because the deploy that created it failed."""
    status = _status(ports, resource.stack)
    if status is None:
        raise Unavailable(f"the status of stack {resource.stack} can't be read: delete it again")
    return status.startswith((_RETURNING, "ROLLBACK"))
