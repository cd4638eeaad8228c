"""The front: the version that clients reach. It lets them in, gives each request its arm, and sees
to it that each has an answer.
"""

import os
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.names import feedback_cohort
from halftone.domain.traffic.clients import CHALLENGE, Unauthorized, check
from halftone.serving.gateway.background import BackgroundTasks
from halftone.serving.gateway.exchange import Outcome, RoutedRequest
from halftone.serving.gateway.forwarding import Forwarder
from halftone.serving.gateway.recorder import Recorder
from halftone.serving.gateway.upstream import Upstream
from halftone.serving.http.body import read_json
from halftone.serving.http.caller import USER
from halftone.serving.http.cors import ASKED, cross_origin_of, is_preflight
from halftone.serving.http.request import Request, Route, headers_of, route, spoken
from halftone.serving.http.response import Problem, Response, to_lambda
from halftone.serving.inference.model_server import LocalModel
from halftone.serving.invocation import LONGEST_SECONDS, Invocation
from halftone.serving.routing.config_cache import RouteConfigCache
from halftone.serving.routing.ledger import Ledger
from halftone.serving.routing.matching import RequestAttributes
from halftone.serving.routing.router import Assignment, Refusal, Router
from halftone.serving.settings import Settings
from halftone.serving.telemetry.feedback import read_feedback
from halftone.serving.telemetry.metrics import Telemetry

_KEY = os.urandom(32)
_ID = "x-request-id"


class Frontend:
    """Answers clients' requests."""

    def __init__(
        self,
        settings: Settings,
        model: LocalModel,
        telemetry: Telemetry,
        *,
        cache: RouteConfigCache,
        upstream: Upstream,
        background: BackgroundTasks,
        ledger: Ledger,
    ) -> None:
        self._settings = settings
        self._model = model
        self._telemetry = telemetry
        self._cache = cache
        cache.told = telemetry.dispatch_not_read
        self._upstream = upstream
        self._background = background
        self._recorder = Recorder(telemetry, upstream, background)
        self._ledger = ledger
        self._forwarder = Forwarder(
            settings.endpoint, model, upstream, telemetry, self._recorder, moved=self._moved
        )

    def prepare(self, version: str) -> None:
        """Get ready, before traffic or after an answer: the dispatch, and the way to others."""
        self._cache.refresh()
        router = self._cache.latest(version)
        if router is not None and router.hops:
            self._upstream.prepare(router.budget_seconds or LONGEST_SECONDS)

    def handle(self, event: object, invocation: Invocation) -> dict[str, object]:
        """The answer to one event. Never raises, whatever the event holds."""
        router = None
        try:
            request = route(event, self._settings.endpoint)
            router = self._router(invocation.version)
            if router.cors is None:
                return self._answered(request, router, invocation)
            cross_origin = cross_origin_of(router.cors)
            if not is_preflight(_method(request.event), request.headers):
                told = self._answered(request, router, invocation)
                return cross_origin.mark(told, request.headers)
            asked = request.headers[ASKED]  # an application takes any method
            answer = cross_origin.preflight(request.headers, asked[:40])
        except Problem as problem:
            answer = self._problem(problem, event, router or self._cache.latest(invocation.version))
        router = router or self._cache.latest(invocation.version)
        told = _payload(answer, invocation)
        if router is not None and router.cors is not None:
            return cross_origin_of(router.cors).mark(told, headers_of(event))
        return told

    def _answered(
        self, request: Request, router: Router, invocation: Invocation
    ) -> dict[str, object]:
        client = self._client(request, router, invocation)
        # Nobody but the front says who calls.
        if client is not None or USER in request.headers:
            _introduce(request, client)
        if request.predicts:
            arm = router.always if request.pin is None else None
            if arm is None:
                arm = self._arm(request, router, client, invocation)
            routed = RoutedRequest(request, router, arm, client, invocation)
            result = self._forwarder.forward(routed)
            if result.status < 400:
                _sign(routed, result)
            if arm.shadow is not None or router.capture.share > 0:
                self._recorder.kept(routed, result)
            return result.payload
        return _without_body(request, self._tell(request, router, client, invocation))

    def _problem(self, problem: Problem, event: object, router: Router | None) -> Response:
        """The answer to a request that is refused, which may be a preflight for another one."""
        headers = headers_of(event)
        cors = router.cors if router else None
        if problem.status == 405 and cors and is_preflight(_method(event), headers):
            try:
                return cross_origin_of(cors).preflight(headers, problem.headers["allow"])
            except Problem as refused:
                return refused.to_response(spoken(event))
        return problem.to_response(spoken(event))

    def _router(self, version: str) -> Router:
        fresh = self._cache.fresh(version)
        if fresh is not None:
            return fresh
        router = self._cache.router(version)
        if router is None:
            told = "it is not known at present who may call this endpoint"
            raise Problem(503, told, {"retry-after": "1"})
        if self._cache.stale:
            self._look_again(version)
        return router

    def _moved(self, version: str) -> None:
        if not self._cache.failing:
            self._look_again(version)

    def _look_again(self, version: str) -> None:
        self._background.add(lambda: self.prepare(version))

    def _client(self, request: Request, router: Router, invocation: Invocation) -> str | None:
        """Who calls, by the token; None on an endpoint that anybody may call."""
        if not router.private:
            return None
        given = request.headers.get("authorization")
        # SHA-256 is OpenSSL's, which displaces so much of the caches that a request pays for it ten
        # times over. So what was checked is known again, until the next dispatch, by a hash that
        # nobody outside of this process can compute: finding it tells nothing of a token.
        seen = blake2b((given or "").encode("utf-8", "surrogatepass"), key=_KEY).digest()
        client = router.admitted.get(seen)
        if client is not None and client.expires_at is None:
            return client.name
        try:
            client = check(given, router.clients, datetime.now(UTC))
        except Unauthorized as error:
            if request.predicts:
                self._telemetry.refused(invocation.version)
            raise Problem(401, str(error), {"www-authenticate": CHALLENGE}) from None
        if len(router.admitted) < 1000:
            router.admitted[seen] = client
        return client.name

    def _arm(
        self, request: Request, router: Router, client: str | None, invocation: Invocation
    ) -> Assignment:
        http = request.event["requestContext"]["http"]

        def body() -> object:
            try:
                return read_json(request, self._settings.max_body)
            except Problem:
                return None  # whoever answers the request says what is wrong with its body

        address = str(http.get("sourceIp") or "")
        facts = RequestAttributes(
            invocation.request_id,
            request.headers,
            request.query,
            address,
            client,
            request.pin,
            body,
        )
        try:
            return router.assign(facts)
        except Refusal as refusal:
            if refusal.status < 500 and request.predicts:
                self._telemetry.refused(invocation.version)
            raise Problem(refusal.status, refusal.detail) from None

    def _tell(
        self, request: Request, router: Router, client: str | None, invocation: Invocation
    ) -> dict[str, object]:
        """The answer to what is not asked of the model itself."""
        if request.route is Route.FEEDBACK:
            return _payload(self._feedback(request, router, client, invocation), invocation)
        if request.pin is not None:
            arm = self._arm(request, router, client, invocation)
            if arm.qualifier:
                return self._forwarder.forward(
                    RoutedRequest(request, router, arm, client, invocation)
                ).payload
        answer = self._model.respond(
            request, version=invocation.version, request_id=invocation.request_id
        )
        return _payload(answer, invocation)

    def _feedback(
        self, request: Request, router: Router, client: str | None, invocation: Invocation
    ) -> Response:
        body = read_json(request, self._settings.max_body)
        try:
            found = read_feedback(self._settings.endpoint, body, router.signer)
        except InvalidInput as error:
            raise Problem.of_input(error) from None
        trial, about = router.dispatch.trial, found.about
        counts = found.counts_in(trial)
        late = about.stage is not None and not counts
        try:
            if not self._ledger.first(about.request, invocation.request_id):
                return Response(202, "{}")
            if counts and found.unit != about.request:
                counts = self._ledger.first(found.unit, invocation.request_id)
            unseen = None
            if counts and trial is not None and trial.mirror > 0 and found.label is not None:
                unseen = self._ledger.shadow(about.request)
        except Unavailable as error:
            told = f"feedback can't be taken at present: {error}"
            raise Problem(503, told, {"retry-after": "1"}) from None
        cohort = feedback_cohort(about.stage) if counts and about.stage is not None else ""
        self._recorder.feedback(found, router, client, cohort=cohort, late=late)
        if unseen is not None and trial is not None:
            bad = found.truth != unseen
            self._telemetry.feedback(trial.version, reward=None, bad=bad, cohort=cohort)
        return Response(202, "{}")


def _sign(routed: RoutedRequest, result: Outcome) -> None:
    """Give the answer its signed id, by which feedback on it is taken."""
    headers = result.payload["headers"]
    if isinstance(headers, dict):
        claim = routed.router.claim(routed.arm, fallback=result.fallback)
        headers[_ID] = routed.router.signer.sign(headers[_ID], claim)


def _payload(answer: Response, invocation: Invocation) -> dict[str, object]:
    named = f"{invocation.request_id}.{invocation.version}"
    return to_lambda(answer, request_id=named, version=invocation.version)


def _method(event: Any) -> object:
    """The method of an event in which ``protocol.route`` found a request."""
    return event["requestContext"]["http"].get("method")


def _without_body(request: Request, told: dict[str, object]) -> dict[str, object]:
    """The answer to HEAD: that to GET without its body (RFC 9110, 9.3.2)."""
    if _method(request.event) == "HEAD":
        return {**told, "body": "", "isBase64Encoded": False}
    return told


def _introduce(request: Request, client: str | None) -> None:
    """Make ``request`` what a model may see: who calls by name, and never a token of ours."""
    headers = {**request.headers}
    headers.pop(USER, None)
    if client is not None:
        headers.pop("authorization", None)
        headers[USER] = client
    request.headers = headers
    request.event = {**request.event, "headers": headers}
