"""``halftone invoke``: send a request, see the answer and the version that gave it."""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from halftone.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from halftone.domain.model.samples import AppSample, Sample
from halftone.domain.model.smoke_test import smoke_event
from halftone.domain.names import checked_name
from halftone.domain.quantities import whole
from halftone.ports import Ports
from halftone.service.deployments.deployments import resolve_version
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.console import note, one_line, say_json, show, table
from halftone_cli.errors import INTERRUPTED, NO
from halftone_cli.stage.calling import Response, authorization, caller
from halftone_cli.stage.session import Session
from halftone_cli.views.reading import read_state

_PROGRESS = 10.0
"""Seconds between two words on how far it is."""

Post = Callable[[str], Response]
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_DEPLOYMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def invoke(
    session: Session,
    endpoint: EndpointArgument,
    *,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            metavar="JSON|@FILE|-",
            help="The request's body: JSON, a file, or stdin; else the first sample of the "
            "champion's package.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-c", help="How often to send it.")] = 1,
    deployment: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|VERSION",
            help="Ask exactly this deployment, whatever its share.",
            show_default=False,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="NAME:VALUE",
            help="Send this header; may be repeated.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="[CLIENT:]TOKEN",
            envvar="HALFTONE_TOKEN",
            help="Call as this client of a private endpoint.",
            show_default=False,
        ),
    ] = None,
    direct: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Ask this version (its number or name, champion or challenger) straight on "
            "Lambda, past API Gateway, and without counting as evidence.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Send a request to an endpoint, as its clients do.

    Prints the answer and the version that gave it; with --count a tally of versions and statuses.
    Exits 1 if any answer is no 2xx.

    \b
    Examples:
      halftone invoke fraud
      halftone invoke fraud --data '{"instances": [{"amount": 12.5}]}'
      halftone invoke fraud --data @request.json --count 200
      halftone invoke fraud --deployment green --header "x-user: 17"
    """
    checked_name("ENDPOINT", endpoint)
    whole("--count", count, least=1, most=100_000)
    stage = session.stage
    body = _sample(stage.ports, endpoint) if data is None else _given(data)
    if direct is None:
        url = f"{stage.api}/endpoints/{endpoint}/invocations"
        post = caller(url, _headers(header or [], deployment, token))
    elif deployment or header or token:
        raise InvalidInput("--direct", direct, "no --deployment, --header or --token beside it")
    else:
        post = _directly(stage.ports, endpoint, direct)
    answers, complete = _send(post, body, count)
    if answers[0].status == 404 and not answers[0].version:
        raise NotFound("endpoint", endpoint, f"{stage.api} has no route to it: deploy its stack")
    if session.as_json:
        say_json(_shape(endpoint, answers))
    else:
        _tell(answers)
    if not complete:
        note(f"interrupted: {len(answers)} of {count} requests were sent")
        raise typer.Exit(INTERRUPTED.code)
    if not all(answer.good for answer in answers):
        raise typer.Exit(NO.code)


def _headers(given: list[str], deployment: str | None, token: str | None) -> dict[str, str]:
    headers = {}
    for header in given:
        name, colon, value = header.partition(":")
        if not colon or not _HEADER.fullmatch(name) or not value.isprintable():
            raise InvalidInput("--header", header, 'a header such as "x-user: 17"')
        headers[name.lower()] = value.strip()
    if deployment is not None:
        if not _DEPLOYMENT.fullmatch(deployment):
            raise InvalidInput("--deployment", deployment, "the name or version of a deployment")
        headers["x-halftone-deployment"] = deployment
    if token is not None:
        headers["authorization"] = authorization(token)
    return headers


def _given(data: str) -> str:
    source, text = "--data", data
    if data == "-":
        source, text = "stdin", sys.stdin.read()
    elif data.startswith("@"):
        source = data[1:]
        try:
            text = Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput("--data", data, f"a file of JSON ({error})") from None
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(source, text, f"JSON ({error})") from None
    return text


def _sample(ports: Ports, endpoint: str) -> str:
    champion = read_state(ports, endpoint).champion
    if champion is None:
        raise Conflict(f"{endpoint!r} has no champion to take a sample from: give --data")
    samples = ports.packages.manifest(champion.package.digest).samples
    if isinstance(samples[0], AppSample):
        expected = f"call it below its address /endpoints/{endpoint}/app"
        raise Conflict(f"{endpoint!r} serves an app, which has requests of its own: {expected}")
    return samples[0].call.body or ""


def _directly(ports: Ports, endpoint: str, version: str) -> Post:
    version = str(resolve_version(ports, endpoint, version))
    # Marked as the engine's smoke test is, so that it counts neither for nor against the version.
    event = smoke_event(endpoint, Sample((), ()))

    def post(body: str) -> Response:
        found: dict[str, Any] = ports.versions.invoke(endpoint, version, {**event, "body": body})
        headers = found.get("headers", {})
        return Response(
            status=found.get("statusCode", 500),
            version=headers.get("x-halftone-version", version),
            request_id=headers.get("x-request-id", ""),
            body=str(found.get("body", "")),
        )

    return post


def _send(post: Post, body: str, count: int) -> tuple[list[Response], bool]:
    """The answers, and whether all requests were sent: ctrl-C ends it with those there are.

    Once there is an answer, a request that gets none is an answer of status 0.
    """
    answers = [post(body)]
    told = time.monotonic()
    try:
        while len(answers) < count:
            try:
                answers.append(post(body))
            except Unavailable as error:
                answers.append(Response(0, "", "", str(error)))
            if time.monotonic() - told > _PROGRESS:
                told = time.monotonic()
                note(f"{len(answers)} of {count} so far")
    except KeyboardInterrupt:
        return answers, False
    return answers, True


def _tally(answers: list[Response]) -> list[tuple[str, int, int]]:
    """(version, status, how many), by version."""
    counted = Counter((answer.version, answer.status) for answer in answers)
    return sorted((version, status, number) for (version, status), number in counted.items())


def _shape(endpoint: str, answers: list[Response]) -> dict[str, object]:
    first = answers[0]
    return {
        "endpoint": endpoint,
        "requests": len(answers),
        "tally": [
            {"version": version or None, "status": status, "requests": number}
            for version, status, number in _tally(answers)
        ],
        "first": {
            "status": first.status,
            "version": first.version or None,
            "request_id": first.request_id or None,
            "body": _parsed(first.body),
        },
    }


def _parsed(body: str) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _tell(answers: list[Response]) -> None:
    first = answers[0]
    if len(answers) == 1:
        say_json(_parsed(first.body))
        show(one_line(f"status {first.status} by version {first.version or 'none'}"))
        return
    made = table("version", "status", "requests", "share")
    for version, status, number in _tally(answers):
        share = f"{100 * number / len(answers):.1f} %"
        made.add_row(version or "none", str(status or "no answer"), str(number), share)
    show(made)
