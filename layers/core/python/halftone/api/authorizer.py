"""The one place where a request's rights are checked, and what a route then knows of it."""

import hashlib
import re
import uuid
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from halftone.api import checks, responses
from halftone.api.errors import PreconditionRequired, problem
from halftone.api.responses import digest
from halftone.domain.access import EVERYWHERE, Action, principal_of
from halftone.domain.audit import Author
from halftone.domain.errors import (
    ConcurrentWrite,
    Forbidden,
    HalftoneError,
    InvalidInput,
    Unavailable,
)
from halftone.ports import Ports
from halftone.service.authorization import must, must_on, must_on_group
from halftone.service.idempotency import once
from halftone.service.insight.permissions import Rights


@dataclass(frozen=True)
class ApiContext:
    """What the app works on: the ports, who is asking, and what the stage is set to.

    ``who`` answers the ARN of a request's principal, out of its ASGI scope, or "" if there is none.
    ``webhook_hosts`` may be told of notices besides public hosts.
    """

    ports: Ports
    who: Callable[[MutableMapping[str, Any]], str]
    self_approval: bool = False
    stage: str = "local"
    webhook_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequestContext:
    """A request that may go on.

    ``actor`` is the full ARN of who asks, for the audit; ``principal`` the same without a session's
    name, for rights. ``revision`` is what an edit's If-Match presents (None: ``*``, or no edit).
    """

    control: ApiContext
    actor: str
    principal: str
    request: str = ""
    fingerprint: str = ""
    revision: int | None = None
    seen: str = ""

    def at(self, revision: int, content: object) -> "RequestContext":
        """This call, at ``revision`` if ``content`` is still what its author has seen.

        A rollout moves an endpoint's revision on at each step, and none of its settings: an edit of
        those is held to them alone.
        """
        same = bool(self.seen) and self.seen == digest(content)
        return replace(self, revision=revision) if same else self

    @property
    def ports(self) -> Ports:
        """The ports."""
        return self.control.ports

    def author(self, message: str) -> Author:
        """Who makes the change that is asked for, with ``message`` as the reason on record."""
        return Author(self.actor, message, self.revision)

    def must(self, action: Action, owner: str | None) -> None:
        """Hold the request to ``action`` on what the group ``owner`` owns: see
        ``service.authorization``.

        Raises:
            Forbidden: if it may not.
        """
        must(self.ports, self.principal, action, owner)

    def rights(self, owners: Sequence[str | None]) -> Rights:
        """What the caller may do to what those groups own."""
        return Rights.of(
            self.ports, self.principal, owners, self_approval=self.control.self_approval
        )

    def once(
        self,
        do: Callable[[Ports], Response],
        *,
        lost: Callable[[Ports], Response] | None = None,
        forget: tuple[str, ...] = (),
    ) -> Response:
        """What ``do`` answers, carried out once for the request's key: see ``service.idempotency``.

        An error that a repetition would meet again is an answer, too. ``forget`` names fields of
        the answer that are not kept: a replay has null there.
        """
        first_answers: list[Response] = []

        def kept(act: Callable[[Ports], Response]) -> Callable[[Ports], str]:
            def acted(ports: Ports) -> str:
                try:
                    first_answers.append(act(ports))
                except (ConcurrentWrite, Unavailable):
                    raise
                except HalftoneError as error:
                    first_answers.append(problem(error))
                return responses.kept(first_answers[-1], forget)

            return acted

        answer = once(
            self.ports,
            self.request,
            self.fingerprint,
            uuid.uuid4().hex,
            kept(do),
            lost=kept(lost) if lost else None,
        )
        return responses.again(answer.text) if answer.replayed else first_answers[-1]


class Authorizer:
    """Lets a request pass that may do ``action`` to the endpoint or the group in its path.

    Where neither is in it: to all that IAM lets it reach, or, to administer, if the group of all
    groups lets it.
    """

    def __init__(self, action: Action) -> None:
        self.action = action

    def passed(self, request: Request, **known: Any) -> RequestContext:
        """The call, if it may go on.

        Raises:
            Forbidden: if it may not.
            NotFound: if there is no such endpoint.
            InvalidInput: if nothing can be called so, or it has a query parameter that its route
                has not, or one twice.
        """
        control: ApiContext = request.app.state.control
        actor = control.who(request.scope)
        if not actor:
            raise Forbidden("the request has no principal: sign it (SigV4, service execute-api)")
        try:
            principal = principal_of(actor)
        except InvalidInput as error:
            raise Forbidden(str(error)) from error
        named, ports = request.path_params, control.ports
        checks.names(named)
        if "endpoint" in named:
            must_on(ports, principal, self.action, named["endpoint"])
        elif "group" in named or self.action is Action.ADMINISTER:
            must_on_group(ports, principal, self.action, named.get("group", EVERYWHERE))
        checks.queries(request)
        return RequestContext(control, actor, principal, **known)


class Reads(Authorizer):
    """The guard of a GET."""

    async def __call__(self, request: Request) -> RequestContext:
        return self.passed(request)


class Deletes(Authorizer):
    """The guard of a DELETE, which says the same however often it is said."""

    async def __call__(self, request: Request) -> RequestContext:
        return self.passed(request)


class Posts(Authorizer):
    """The guard of a POST: its key makes it safe to repeat."""

    async def __call__(
        self,
        request: Request,
        idempotency_key: Annotated[
            str,
            Header(
                min_length=8,
                max_length=128,
                pattern=r"^[!-~]+$",
                description="Names this request. Sent again with it, it is not carried out again.",
            ),
        ],
    ) -> RequestContext:
        call = self.passed(request)
        body = hashlib.blake2b(await checks.body(request), digest_size=16).hexdigest()
        request_text = f"{request.method} {request.url.path}?{request.url.query} {body}"
        named = f"{call.principal} {idempotency_key}"
        return RequestContext(
            call.control,
            call.actor,
            call.principal,
            request=_hash(named),
            fingerprint=_hash(request_text),
        )


class Edits(Authorizer):
    """The guard of a PUT or PATCH: it must name the revision that its author has seen."""

    async def __call__(
        self,
        request: Request,
        if_match: Annotated[
            str | None,
            Header(
                description="The ETag that was read, or `*` for any.",
                examples=["*"],
            ),
        ] = None,
    ) -> RequestContext:
        if if_match is None:
            raise PreconditionRequired(
                "name the ETag that you have read in If-Match, or * to change any state"
            )
        revision, seen = _revision(if_match)
        call = self.passed(request, revision=revision, seen=seen)
        await checks.body(request)
        return call


_IF_MATCH = re.compile(r'\*|(W/)?"[0-9]{1,15}(-[0-9a-f]{1,32}){0,2}"')


def reads(action: Action = Action.VIEW) -> Any:
    """The ``RequestContext`` of a GET."""
    return Depends(Reads(action))


def deletes(action: Action) -> Any:
    """The ``RequestContext`` of a DELETE."""
    return Depends(Deletes(action))


def posts(action: Action) -> Any:
    """The ``RequestContext`` of a POST."""
    return Depends(Posts(action))


def edits(action: Action) -> Any:
    """The ``RequestContext`` of a PUT or PATCH."""
    return Depends(Edits(action))


def _revision(if_match: str) -> tuple[int | None, str]:
    """The revision in an If-Match, and the hash of what was seen ("": none).

    Raises:
        InvalidInput: if no answer ever had such an ETag.
    """
    if not _IF_MATCH.fullmatch(if_match):
        raise InvalidInput("if-match", if_match, 'the ETag as it was answered, such as "12", or *')
    revision, _, seen = if_match.removeprefix("W/").strip('"').partition("-")
    return (None if if_match == "*" else int(revision)), seen.partition("-")[0]


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
