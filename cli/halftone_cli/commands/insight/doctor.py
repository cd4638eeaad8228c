"""``halftone doctor``: is everything in order, and what is to be done where it is not."""

from collections.abc import Iterator
from typing import Annotated

import typer

from halftone.domain.errors import HalftoneError
from halftone.domain.names import checked_name
from halftone_cli.commands.options import endpoint_names
from halftone_cli.console import one_line, say_json, show, table
from halftone_cli.errors import NO
from halftone_cli.stage import checkup
from halftone_cli.stage.checkup import Finding
from halftone_cli.stage.session import Session


def doctor(
    session: Session,
    endpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="ENDPOINT",
            help="Of the endpoints, only this one.",
            show_default=False,
            autocompletion=endpoint_names,
        ),
    ] = None,
) -> None:
    """Check everything that Halftone stands on, and say what to do where something is wrong.

    The tools of this machine, credentials, the CDK's bootstrap, the stage and its control API, dead
    letters, the rule that hears alarms, and for each endpoint: its versions, the alias against the
    record, the alarms and the version that they watch, the guardrail, the schedule. Reads only.
    Exits 1 if any finding is bad.

    \b
    Examples:
      halftone doctor
      halftone doctor fraud
      halftone doctor --stage prod --json
    """
    findings = list(_findings(session, endpoint and checked_name("ENDPOINT", endpoint)))
    bad = [finding for finding in findings if not finding.good]
    if session.as_json:
        say_json({"healthy": not bad, "findings": [_shape(finding) for finding in findings]})
    else:
        made = table("", "check", "found", "what to do")
        for finding in findings:
            mark = "ok" if finding.good else "BAD"
            words = (finding.check, finding.found, finding.remedy or "-")
            made.add_row(mark, *(one_line(word) for word in words))
        show(made)
    if bad:
        raise typer.Exit(NO.code)


def _findings(session: Session, endpoint: str | None) -> Iterator[Finding]:
    yield from checkup.tools(session.checkout)
    try:
        patient = session.patient(session.where)
    except HalftoneError as error:
        yield Finding("stage", str(error), "do as it says, then look again")
        return
    account, deploy = patient.account, patient.deploy
    first = list(checkup.account(account, bootstrap=f"run `{deploy}`"))
    yield from first
    if not first[0].good:
        return  # nobody would be answered
    found = list(checkup.stage(account, deploy=f"run `{deploy}`"))
    yield from found
    if not found[0].good:
        return
    yield _api(session, deploy)
    yield from checkup.endpoints(session.stage.ports, account, endpoint)


def _api(session: Session, deploy: str) -> Finding:
    try:
        session.stage.control.get("/endpoints", limit=1)
    except HalftoneError as error:
        return Finding("control API", str(error), f"run `{deploy}`, or ask for the role it needs")
    return Finding("control API", "answers")


def _shape(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "good": finding.good,
        "found": finding.found,
        "remedy": finding.remedy or None,
    }
