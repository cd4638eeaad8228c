"""The other end of a hop: a version that a front of the same function asks.

The front has let the client in, assigned and counted the request already. So this end answers, says
how long it took, and counts nothing; but for a mirror, whose answer nobody waits for: that one is
compared with the client's answer here, and counted here.

A front that keeps or mirrors a request asks for its records, too: of tensors and rows it has no
fields' names, without which nothing can be redacted or compared.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from halftone.domain.errors import HalftoneError, Unavailable
from halftone.domain.insight.capture import LONGEST_LINE
from halftone.serving.gateway.upstream import LATENCY
from halftone.serving.http.request import Request, route, spoken
from halftone.serving.http.response import Exchange, Problem, Response, to_lambda
from halftone.serving.inference.model_server import LocalModel
from halftone.serving.invocation import Invocation
from halftone.serving.routing.config_cache import RouteConfigCache
from halftone.serving.routing.ledger import Ledger
from halftone.serving.routing.router import MIRROR
from halftone.serving.telemetry.capture import body_in, captured
from halftone.serving.telemetry.feedback import label_print
from halftone.serving.telemetry.metrics import Telemetry
from halftone.serving.telemetry.shadow_diff import UNCOMPARED, Difference, difference, label_field

COLD = "x-halftone-cold"
RECORDS = "halftone-records"

OLDEST_SECONDS = 60.0
"""How long a mirrored request may wait; the alias ``challenger`` drops it itself after that."""


class Backend:
    """Answers hops to ``own``."""

    def __init__(
        self,
        endpoint: str,
        model: LocalModel,
        telemetry: Telemetry,
        ledger: Ledger,
        cache: RouteConfigCache,
    ) -> None:
        self._endpoint = endpoint
        self._cache = cache
        self._model = model
        self._telemetry = telemetry
        self._ledger = ledger

    def handle(
        self, event: object, mark: Mapping[str, Any], invocation: Invocation
    ) -> dict[str, object]:
        """The answer to a hop: 421 if the front meant another version, or one that was taken back.

        By an alias, the alias says who answers. By its number a version is reached whatever became
        of it, and a front may act on routes of a quarter of an hour ago: so the version looks, and
        if it can't, the front answers itself.
        """
        request_id = str(mark.get("request") or invocation.request_id)
        named = f"{request_id}.{invocation.version}"
        if mark.get("expect") != invocation.version:
            told = f"this is version {invocation.version}, not {mark.get('expect')}"
            return to_lambda(
                Problem(421, told).to_response(), request_id=named, version=invocation.version
            )
        routed = mark.get("routed")
        if isinstance(routed, int) and not self._cache.routes_to(invocation.version, routed):
            told = f"version {invocation.version} answers no unpinned requests, or can't find out"
            return to_lambda(
                Problem(421, told).to_response(), request_id=named, version=invocation.version
            )
        if _too_old(mark):
            told = "this was to be scored a minute ago"
            return to_lambda(
                Problem(409, told).to_response(), request_id=named, version=invocation.version
            )
        request = None
        try:
            request = route(event, self._endpoint)
            client = mark.get("client")
            answer = self._model.respond(
                request, version=invocation.version, request_id=request_id, client=client
            )
        except Problem as problem:
            answer = problem.to_response(spoken(event))
        latency_ms = invocation.elapsed_ms()
        if request is not None and request.predicts:
            self._model.recent.add(latency_ms=latency_ms, failed=answer.status >= 500)
            if mark.get("hop") == MIRROR:
                self._count(request, answer, mark, invocation, latency_ms)
        label = mark.get("label")
        if label and answer.exchange:
            named = f"{named}.{label_print(self._endpoint, list(answer.exchange.output(label)))}"
        answer.headers = {
            **answer.headers,
            LATENCY: f"{latency_ms:.3f}",
            COLD: str(int(invocation.cold)),
        }
        found = to_lambda(answer, request_id=named.rstrip("."), version=invocation.version)
        if mark.get("records") and answer.exchange:
            found |= _records(answer.exchange)
        return found

    def _count(
        self,
        request: Request,
        answer: Response,
        mark: Mapping[str, Any],
        invocation: Invocation,
        latency_ms: float,
    ) -> None:
        """Count a mirrored request, and keep it where capture is on. Whatever the two answers are,
        they are no reason for the function to fail, which would count as a crash of its version.
        """
        label, apart = label_field(str(mark.get("label") or ""), self._model.outputs), UNCOMPARED
        try:
            before = (mark.get("answer") or {}).get("predictions")
            found = answer.exchange.predictions() if answer.exchange else None
            # Where either has no predictions there is nothing to compare.
            if before is not None and found is not None:
                apart = difference(before, found, label)
        except Exception as error:  # noqa: BLE001
            self._fault("comparison of a mirrored request", error, invocation)
        measures = {
            "Changed": None if apart.changed is None else int(apart.changed),
            "Distance": apart.distance,
            "RelativeDistance": apart.relative,
        }
        self._telemetry.request(
            invocation.version,
            latency_ms=latency_ms,
            status=answer.status,
            cold=invocation.cold,
            cohort=MIRROR,
            more={name: value for name, value in measures.items() if value is not None},
        )
        if mark.get("judged") and answer.exchange:
            self._note(str(mark.get("request")), list(answer.exchange.output(label)), invocation)
        if mark.get("capture"):
            try:
                self._capture(request, answer, mark, invocation, latency_ms=latency_ms, apart=apart)
            except Exception as error:  # noqa: BLE001
                self._fault("capture of a mirrored request", error, invocation)

    def _fault(self, what: str, error: Exception, invocation: Invocation) -> None:
        self._telemetry.fault(
            what, error, version=invocation.version, request_id=invocation.request_id
        )

    def _capture(
        self,
        request: Request,
        answer: Response,
        mark: Mapping[str, Any],
        invocation: Invocation,
        *,
        latency_ms: float,
        apart: Difference,
    ) -> None:
        columns = {
            "kind": "shadow",
            "request": mark.get("request"),
            "at": int(time.time() * 1000),
            "version": invocation.version,
            "answered_by": invocation.version,
            "rollout": mark.get("rollout"),
            "stage": mark.get("stage"),
            "client": mark.get("client"),
            "key": None,
            "pinned": False,
            "status": answer.status,
            "latency_ms": round(latency_ms, 3),
            "cold": invocation.cold,
            "fallback": False,
            "changed": apart.changed,
            "distance": apart.distance,
        }
        self._telemetry.line(
            captured(
                columns,
                given=body_in(request.event),
                found=answer.body,
                status=answer.status,
                exchange=answer.exchange,
                redact=[str(name) for name in mark.get("redact") or ()],
                label=label_field(str(mark.get("label") or ""), self._model.outputs),
            )
        )

    def _note(self, request: str, labels: list[object], invocation: Invocation) -> None:
        """Keep what was answered unseen until somebody tells the truth about this request."""
        if not labels:
            return
        try:
            self._ledger.note_shadow(request, label_print(self._endpoint, labels))
        except Unavailable as error:
            what = "a label that was not kept"
            self._telemetry.fault(what, error, version=invocation.version, request_id=request)


def _too_old(mark: Mapping[str, Any]) -> bool:
    """Whether a mirrored request waited too long, as Lambda lets it where there is no concurrency:
    what is scored then would count for another stage, in the time of clients' requests.
    """
    sent = mark.get("sent")
    return isinstance(sent, int | float) and time.time() - sent > OLDEST_SECONDS


def _records(exchange: Exchange) -> dict[str, object]:
    """What the model was asked and said, unless it is more than anybody keeps: an invoke's answer
    has a limit.
    """
    try:
        records = {"instances": exchange.instances(), "predictions": exchange.predictions()}
        size = len(json.dumps(records, allow_nan=False))
    except (ValueError, TypeError, RecursionError, HalftoneError):
        return {}
    return {RECORDS: records} if size <= LONGEST_LINE else {}
