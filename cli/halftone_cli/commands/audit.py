"""``halftone audit verify``: compute every hash of the chain again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from halftone.domain.audit import AuditHead, AuditRecord, verify
from halftone.domain.errors import BrokenChain, InvalidInput, Unavailable
from halftone.service.ports import Parts
from halftone_cli.context import Session
from halftone_cli.output import say_json, show, table
from halftone_cli.reading import read_state

_ATTEMPTS = 5


@dataclass(frozen=True)
class Checked:
    """A chain, its end as the endpoint's state names it, and where it breaks, if it does."""

    endpoint: str
    head: AuditHead
    fault: BrokenChain | None


def verify_audit(
    session: Session,
    endpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="ENDPOINT", help="The endpoint whose audit to verify.", show_default=False
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Verify every endpoint's audit.")] = False,
) -> None:
    """Verify the audit: compute every record's hash again.

    The whole chain is read, from the first record to the one that the endpoint's state names. A
    record that was changed, dropped, inserted or cut off is named, and the exit code is 5.

    \b
    Examples:
      halftone audit verify fraud
      halftone audit verify --all --json
    """
    if (endpoint is None) != every:
        raise InvalidInput("ENDPOINT", endpoint, "the name of an endpoint, or --all alone")
    parts = session.stage.parts
    names: Sequence[str] = [endpoint] if endpoint else parts.catalogue.endpoints()
    checked = [_check(parts, name) for name in names]
    if session.as_json:
        say_json({"chains": [_shape(chain) for chain in checked]})
    else:
        _tell(checked)
    for chain in checked:
        if chain.fault:
            raise chain.fault


def _check(parts: Parts, endpoint: str) -> Checked:
    head, records = _chain(parts, endpoint)
    try:
        verify(endpoint, records, head)
    except BrokenChain as fault:
        return Checked(endpoint, head, fault)
    return Checked(endpoint, head, None)


def _chain(parts: Parts, endpoint: str) -> tuple[AuditHead, list[AuditRecord]]:
    """All records, and the state's head as it was both before and after they were read.

    A rollout under way appends while we read, which must not look like a chain that was tampered
    with.
    """
    head = read_state(parts, endpoint).audit
    for _ in range(_ATTEMPTS):
        records = list(parts.store.audit(endpoint))
        before, head = head, read_state(parts, endpoint).audit
        if head == before:
            return head, records
    raise Unavailable(f"the audit of {endpoint!r} grew each time it was read: try again")


def _shape(chain: Checked) -> dict[str, object]:
    return {
        "endpoint": chain.endpoint,
        "verified": chain.fault is None,
        "records": chain.head.seq,
        "head": chain.head.hash,
        "breaks_at": chain.fault.seq if chain.fault else None,
        "why": chain.fault.why if chain.fault else "",
    }


def _tell(checked: Sequence[Checked]) -> None:
    made = table("endpoint", "audit", "records", "head")
    for chain in checked:
        told = f"breaks at record {chain.fault.seq}" if chain.fault else "verified"
        made.add_row(chain.endpoint, told, str(chain.head.seq), chain.head.hash)
    show(made)
