"""``halftone audit …``: take the record away, and compute every hash of its chain again."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from halftone.domain.audit import AuditHead, AuditRecord, verify
from halftone.domain.errors import BrokenChain, InvalidInput, Unavailable
from halftone.ports import Ports
from halftone_cli.commands.options import EndpointArgument, endpoint_names
from halftone_cli.console import note, say_json, show, table
from halftone_cli.local.files import write_whole
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes
from halftone_cli.views.reading import read_state

_ATTEMPTS = 5
_HASH = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Checked:
    """A chain, its end as the endpoint's state names it, and where it breaks, if it does."""

    endpoint: str
    head: AuditHead
    fault: BrokenChain | None
    whole: bool = True
    """Whether the end is known: a file's own last record may be that of a first page."""


def verify_audit(
    session: Session,
    endpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="ENDPOINT",
            help="The endpoint whose audit to verify.",
            show_default=False,
            autocompletion=endpoint_names,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Verify every endpoint's audit.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Verify what `audit export` wrote there: needs no stage and no credentials.",
            show_default=False,
        ),
    ] = None,
    newest: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="HASH",
            help="With --file: the hash of the newest record, known from elsewhere.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Verify the audit: compute every record's hash again.

    The whole chain is read, from the first record to the one that the endpoint's state names. A
    record that was changed, dropped, inserted or cut off is named, and the exit code is 5. A file
    does not name its own end: with --head it is verified as a whole, without it as the first part
    of a chain, and the table says so.

    \b
    Examples:
      halftone audit verify fraud
      halftone audit verify --all --json
      halftone audit verify --file fraud.jsonl --head 1fefc3798a0f...
    """
    if newest is not None and (file is None or not _HASH.fullmatch(newest)):
        raise InvalidInput("--head", newest, "64 hexadecimal digits, beside --file")
    if [endpoint is not None, every, file is not None].count(True) != 1:
        expected = "one of the name of an endpoint, --all, and --file"
        raise InvalidInput("ENDPOINT", endpoint, expected)
    if file is not None:
        checked = [_checked_file(file, newest)]
    else:
        ports = session.stage.ports
        names: Sequence[str] = [endpoint] if endpoint else ports.catalogue.endpoints()
        checked = [_checked(name, *_chain(ports, name)) for name in names]
    if session.as_json:
        say_json({"chains": [_shape(chain) for chain in checked]})
    else:
        _tell(checked)
    for chain in checked:
        if chain.fault:
            raise chain.fault


def export_audit(
    session: Session,
    endpoint: EndpointArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write it there, not to stdout.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Take the whole audit of an endpoint away, as JSON lines.

    One record a line, the oldest first, whole: every field that its hash covers, and the hash.
    Whoever has the file can verify it, without this stage and without credentials. A chain that
    does not verify is exported all the same, and the exit code is 5.

    \b
    Examples:
      halftone audit export fraud > fraud.jsonl
      halftone audit export fraud -o fraud.jsonl
    """
    head, records = _chain(session.stage.ports, endpoint)
    lines = "".join(f"{json.dumps(shapes.record(record))}\n" for record in records)
    if output is None:
        sys.stdout.write(lines)
        sys.stdout.flush()
    else:
        write_whole(output, lines.encode(), option="--output")
        if session.as_json:
            say_json({"endpoint": endpoint, "records": len(records), "output": str(output)})
        else:
            note(f"wrote {len(records)} records to {output}")
    fault = _checked(endpoint, head, records).fault
    if fault:
        raise fault


def _checked_file(file: Path, newest: str | None) -> Checked:
    """What a file holds; its end is known only if ``newest`` is the hash of its last record."""
    endpoint, head, records = _from_file(file)
    if newest is None:
        return replace(_checked(endpoint, head, records), whole=False)
    if head.hash != newest.lower():
        why = f"missing: --head names a record that is not the last of {file}"
        return Checked(endpoint, head, BrokenChain(endpoint, head.seq + 1, why))
    return _checked(endpoint, head, records)


def _from_file(file: Path) -> tuple[str, AuditHead, list[AuditRecord]]:
    """The endpoint, the end and the records of an export."""
    try:
        lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("--file", str(file), f"a file that can be read ({error})") from None
    records = [_record(line, f"line {n}", file) for n, line in enumerate(lines, start=1)]
    return records[0].endpoint, records[-1].head, records


def _record(line: str, at: str, file: Path) -> AuditRecord:
    try:
        given = json.loads(line)
        return AuditRecord(**{**given, "at": datetime.fromisoformat(given["at"])})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput(at, line, "an audit record", source=str(file)) from None


def _checked(endpoint: str, head: AuditHead, records: Sequence[AuditRecord]) -> Checked:
    try:
        verify(endpoint, records, head)
    except BrokenChain as fault:
        return Checked(endpoint, head, fault)
    return Checked(endpoint, head, None)


def _chain(ports: Ports, endpoint: str) -> tuple[AuditHead, list[AuditRecord]]:
    """All records, and the state's head as it was both before and after they were read.

    A rollout under way appends while we read, which must not look like a chain that was tampered
    with.
    """
    head = read_state(ports, endpoint).audit
    for _ in range(_ATTEMPTS):
        records = list(ports.store.audit(endpoint))
        before, head = head, read_state(ports, endpoint).audit
        if head == before:
            return head, records
    raise Unavailable(f"the audit of {endpoint!r} grew each time it was read: try again")


def _shape(chain: Checked) -> dict[str, object]:
    return {
        "endpoint": chain.endpoint,
        "verified": chain.fault is None,
        "whole": chain.whole,
        "records": chain.head.seq,
        "head": chain.head.hash,
        "breaks_at": chain.fault.seq if chain.fault else None,
        "why": chain.fault.why if chain.fault else "",
    }


def _tell(checked: Sequence[Checked]) -> None:
    made = table("endpoint", "audit", "records", "head")
    for chain in checked:
        told = "verified" if chain.whole else "first part verified; the end is not known"
        if chain.fault:
            told = f"breaks at record {chain.fault.seq}"
        made.add_row(chain.endpoint, told, str(chain.head.seq), chain.head.hash)
    show(made)
