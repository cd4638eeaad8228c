"""Passing a request on to its arm, and answering in its place when that does not work.

What a request counts for:

| the other version        | client gets       | counted for it                         |
| ------------------------ | ----------------- | -------------------------------------- |
| answers, below 500       | its answer        | as its own requests are                |
| refuses what front takes | the front's       | Errors 1, Fallback 1; opens a circuit  |
| raises, crashes, is late | the front's       | Errors 1, Fallback 1; opens a circuit  |
| is late, for it starts   | the front's       | ColdStart 1, Fallback 1                |
| can't be reached         | the front's       | Fallback 1 alone                       |
| is not asked (circuit)   | the front's       | Fallback 1 alone                       |
| is another one by now    | the front's       | nothing: the front's own request       |

A pinned request gets that version's answer or its failure, and no other's.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from halftone.serving.gateway.backend import COLD, RECORDS
from halftone.serving.gateway.circuit_breaker import FAULTS, CircuitBreaker
from halftone.serving.gateway.exchange import Outcome, RoutedRequest, of_reply
from halftone.serving.gateway.recorder import Recorder
from halftone.serving.gateway.upstream import HEARD_SECONDS, LATENCY, Reply, ReplyStatus, Upstream
from halftone.serving.http.request import Route
from halftone.serving.http.response import Problem, to_lambda
from halftone.serving.inference.model_server import LocalModel
from halftone.serving.invocation import marked
from halftone.serving.routing.router import DIRECT, PINNED, Assignment
from halftone.serving.telemetry.feedback import label_print
from halftone.serving.telemetry.metrics import Telemetry

_MARGIN_SECONDS = 0.1
"""What is left of the function's time when the front stops waiting."""

_ANSWER_SECONDS = 0.01
"""What is left of the budget when the front stops waiting with its own answer in hand."""

_LISTEN_SECONDS = 1.0
"""How long a sandbox is kept awake for a late reply: most cold starts are over by then."""

_LOOKS = 2
_REMEMBERED = 32
_FEW = 8
_EARLIEST_SECONDS = 0.005

_FAILURES: Mapping[ReplyStatus, tuple[int, str]] = {
    ReplyStatus.ERROR: (500, "failed"),
    ReplyStatus.TIMEOUT: (504, "did not answer in time"),
    ReplyStatus.MISDIRECTED: (503, "is not there any more"),
    ReplyStatus.UNAVAILABLE: (503, "can't be reached now"),
    ReplyStatus.ANSWERED: (500, "answered nothing"),
}


@dataclass(slots=True, eq=False)
class _Late:
    """A reply that was late, and ``rest``, which waits for what it is after all."""

    routed: RoutedRequest
    rest: Callable[[float], Reply]
    since: float
    looks: int = 0


class Forwarder:
    """Gets an answer to a request that has its arm. ``moved`` is called when the arm turned out to
    be another by now.
    """

    def __init__(
        self,
        endpoint: str,
        model: LocalModel,
        upstream: Upstream,
        telemetry: Telemetry,
        recorder: Recorder,
        *,
        moved: Callable[[str], None],
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._upstream = upstream
        self._telemetry = telemetry
        self._recorder = recorder
        self._moved = moved
        self._circuit_breaker = CircuitBreaker()
        self._own_ms: deque[float] = deque(maxlen=_REMEMBERED)
        self._usual: dict[str, deque[float]] = {}
        self._late: list[_Late] = []

    def forward(self, routed: RoutedRequest) -> Outcome:
        """The arm's answer, or the front's own in its place; and the metrics of it."""
        if self._late:
            self._recorder.later(self._look_again)
        arm = routed.arm
        if not arm.qualifier:
            result = self._by_itself(routed)
            self._recorder.answered(arm, result, routed.invocation)
            return result
        if arm.cohort == PINNED:
            return self._pinned(
                routed, self._ask(routed, routed.invocation.seconds_left() - _MARGIN_SECONDS)
            )
        if not self._circuit_breaker.allows(arm.version) or self._unheard(arm.version) >= FAULTS:
            return self._fall_back(
                routed, Reply(ReplyStatus.UNAVAILABLE, why="the circuit is open"), None
            )
        reply, own = self._hedged(routed)
        if reply.outcome is ReplyStatus.ANSWERED and reply.answer is not None:
            result = of_reply(reply.answer, arm.version, LATENCY, COLD, RECORDS)
            instead = self._retry_locally(routed, result, own) if result.status >= 400 else None
            if instead is not None:
                return instead
            self._circuit_breaker.answered(arm.version)
            self._recorder.answered(arm, result, routed.invocation)
            return result
        return self._fall_back(routed, reply, own)

    def _hedged(self, routed: RoutedRequest) -> tuple[Reply, Outcome | None]:
        """What the arm answers within the budget, and the front's own answer if it had to be begun:
        where the arm takes longer than it usually does.

        With its own answer in hand the front can wait for the arm to the end of the budget, however
        long its own takes. An application may do more than answer: it is asked once, and the time
        for the front's own answer is kept back instead.
        """
        usual = self._usual.setdefault(routed.arm.version, deque(maxlen=_REMEMBERED))
        seconds, began = self._seconds(routed), time.perf_counter()
        if routed.request.route is Route.APP:
            return self._ask(routed, seconds), None
        reply, own = self._ask(routed, min(seconds, hedge_after(seconds, usual))), None
        if reply.outcome is ReplyStatus.TIMEOUT and reply.rest is not None and seconds > 0:
            own = self._by_itself(routed, fallback=True)
            reply = reply.rest(self._left(routed) - _ANSWER_SECONDS)
        if reply.outcome is ReplyStatus.ANSWERED:
            usual.append(time.perf_counter() - began)
        return reply, own

    def _ask(self, routed: RoutedRequest, seconds: float) -> Reply:
        arm, request_id = routed.arm, routed.invocation.request_id
        mark: dict[str, object] = {
            "hop": arm.hop or DIRECT,
            "expect": arm.version,
            "client": routed.client,
            "request": request_id,
            "label": routed.router.label,
            "records": arm.shadow is not None or routed.router.captures(request_id),
        }
        if arm.qualifier == arm.version and arm.cohort != PINNED:
            # No alias stands between: whether it is still to answer is for that version to look up.
            mark["routed"] = routed.router.dispatch.revision
        return self._upstream.ask(arm.qualifier, marked(routed.request.event, mark), seconds)

    def _log_failure(self, routed: RoutedRequest, reply: Reply) -> None:
        if reply.outcome in (ReplyStatus.ERROR, ReplyStatus.TIMEOUT):
            request_id = routed.invocation.request_id
            self._telemetry.hop_failed(routed.arm.version, reply.why, request_id=request_id)

    def _fall_back(self, routed: RoutedRequest, reply: Reply, own: Outcome | None) -> Outcome:
        """The front's own answer, where ``reply`` is none that a client can have; ``own`` is that
        answer if there is one already.
        """
        arm = routed.arm
        self._log_failure(routed, reply)
        result = own or self._by_itself(routed, fallback=True)
        self._answered_instead(result)
        if reply.outcome is ReplyStatus.MISDIRECTED:
            self._moved(routed.invocation.version)
            result.fallback = False
            self._recorder.answered(
                Assignment(routed.invocation.version), result, routed.invocation
            )
        elif reply.outcome is ReplyStatus.UNAVAILABLE:
            self._recorder.skipped(arm)
        elif not self._hears_out(routed, reply):
            self._failed(arm)
        return result

    def _retry_locally(
        self, routed: RoutedRequest, refused: Outcome, own: Outcome | None
    ) -> Outcome | None:
        """The front's answer to a request that the arm refused; None where it refuses it, too, so
        that it was the client's mistake. What an application refuses is its own affair.
        """
        if routed.request.route is Route.APP:
            return None
        own = own or self._by_itself(routed, fallback=True)
        if own.status >= 400:
            return None
        self._answered_instead(own)
        why = f"status {refused.status} to a request that version {own.version} answers"
        self._telemetry.hop_failed(routed.arm.version, why, request_id=routed.invocation.request_id)
        self._failed(routed.arm)
        return own

    def _answered_instead(self, own: Outcome) -> None:
        # Not where the front's own answer was made ready and not needed.
        self._model.recent.add(latency_ms=own.latency_ms, failed=own.status >= 500)

    def _failed(self, arm: Assignment) -> None:
        self._circuit_breaker.failed(arm.version)
        self._recorder.fallback(arm)

    def _hears_out(self, routed: RoutedRequest, reply: Reply) -> bool:
        """Whether a late reply is judged after the client has its answer, by what comes then.

        Only for a version of which nothing bad is known: one that goes on being late is charged at
        once. While the front listens its sandbox takes no request, so that clients would meet new
        ones: it listens for a moment, once at a time, and looks again after its next answers.
        """
        if reply.rest is None or self._circuit_breaker.has_failures(routed.arm.version):
            return False
        late = _Late(routed, reply.rest, time.time())
        seconds = 0.0 if self._unheard(routed.arm.version) else _LISTEN_SECONDS
        self._late.append(late)
        if self._recorder.later(lambda: self._listen(late, seconds)):
            return True
        self._late.remove(late)
        return False

    def _unheard(self, version: str) -> int:
        """How many late replies of ``version`` may still come."""
        return sum(late.routed.arm.version == version for late in self._late) if self._late else 0

    def _listen(self, late: "_Late", seconds: float) -> None:
        left = late.routed.invocation.seconds_left() - _MARGIN_SECONDS
        self._hear(late, late.rest(min(left, seconds)), over=False)

    def _look_again(self) -> None:
        for late in [*self._late]:
            late.looks += 1
            # A sandbox that was frozen reads what came meanwhile a moment after it wakes.
            over = late.looks >= _LOOKS and abs(time.time() - late.since) >= HEARD_SECONDS
            self._hear(late, late.rest(0.0), over=over)

    def _hear(self, late: "_Late", reply: Reply, *, over: bool) -> None:
        if reply.outcome is ReplyStatus.TIMEOUT and reply.rest is not None and not over:
            late.rest = reply.rest
            return
        self._late.remove(late)
        self._judge(late.routed, reply)

    def _judge(self, routed: RoutedRequest, reply: Reply) -> None:
        """Charge the arm for a late reply, unless it was its sandbox that had to start: what it
        took for the request itself is within the budget.
        """
        arm, budget = routed.arm, routed.router.budget_seconds
        if reply.outcome is ReplyStatus.ANSWERED and reply.answer is not None:
            found = of_reply(reply.answer, arm.version, LATENCY, COLD, RECORDS)
            if found.cold and (budget is None or found.latency_ms <= budget * 1e3):
                self._circuit_breaker.answered(arm.version)
                self._recorder.started(arm)
                return
        if reply.outcome in (ReplyStatus.MISDIRECTED, ReplyStatus.UNAVAILABLE):
            self._recorder.skipped(arm)
        else:
            self._failed(arm)

    def _pinned(self, routed: RoutedRequest, reply: Reply) -> Outcome:
        """What a pinned request gets: nobody stands in for the version that it asked for."""
        arm, invocation = routed.arm, routed.invocation
        self._log_failure(routed, reply)
        if reply.answer is not None:
            result = of_reply(reply.answer, arm.version, LATENCY, COLD, RECORDS)
        else:
            status, told = _FAILURES[reply.outcome]
            problem = Problem(status, f"version {arm.version} {told}")
            named = f"{invocation.request_id}.{arm.version}"
            answer = problem.to_response(routed.request.spoken)
            result = Outcome(
                payload=to_lambda(answer, request_id=named, version=arm.version),
                status=status,
                version=arm.version,
                latency_ms=invocation.elapsed_ms(),
                cold=False,
            )
        if routed.request.predicts:
            self._recorder.answered(arm, result, invocation)
        return result

    def _by_itself(self, routed: RoutedRequest, *, fallback: bool = False) -> Outcome:
        invocation = routed.invocation
        began = time.perf_counter_ns() if fallback else invocation.started
        answer = self._model.respond(
            routed.request,
            version=invocation.version,
            request_id=invocation.request_id,
            client=routed.client,
        )
        latency_ms = (time.perf_counter_ns() - began) / 1e6
        self._own_ms.append(latency_ms)
        if not fallback:
            self._model.recent.add(latency_ms=latency_ms, failed=answer.status >= 500)
        named = f"{invocation.request_id}.{invocation.version}"
        if routed.router.label and answer.exchange:
            labels = list(answer.exchange.output(routed.router.label))
            named = f"{named}.{label_print(self._endpoint, labels)}".rstrip(".")
        made = to_lambda(answer, request_id=named, version=invocation.version)
        return Outcome(
            made,
            answer.status,
            invocation.version,
            latency_ms,
            invocation.cold,
            fallback,
            answer.exchange,
        )

    def _seconds(self, routed: RoutedRequest) -> float:
        """How long the front may wait, so that the client still has an answer in time."""
        left = self._left(routed)
        return left - reserve(left, self._own_ms)

    def _left(self, routed: RoutedRequest) -> float:
        """Seconds until the client must have an answer."""
        left = routed.invocation.seconds_left() - _MARGIN_SECONDS
        budget = routed.router.budget_seconds
        return left if budget is None else min(left, budget - routed.invocation.elapsed_ms() / 1e3)


def hedge_after(seconds: float, usual: Sequence[float]) -> float:
    """After how many of the ``seconds`` that the front may wait it begins its own answer: when the
    other version takes longer than nearly all of its last answers (``usual``, in seconds) did, of
    which the second longest of 32 is about the 95th percentile. Half of the time while there are
    few of them.
    """
    if len(usual) < _FEW:
        return seconds / 2
    return min(seconds, max(sorted(usual)[-2], _EARLIEST_SECONDS))


def reserve(seconds: float, own_ms: Iterable[float]) -> float:
    """Seconds to keep back of ``seconds`` for the front's own answer: half more than the slowest of
    its last ones (``own_ms``) and 10 ms, but never more than half of it all.
    """
    return max(0.0, min(seconds / 2, max(own_ms, default=0.0) * 1.5e-3 + 0.01))
