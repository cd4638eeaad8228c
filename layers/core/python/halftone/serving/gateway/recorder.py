"""What a request leaves behind: its metrics, its key, its line of the inference table, its copy.

Metrics are one line, written before the answer is. All that takes longer is done after it.
"""

import time
from collections.abc import Callable, Mapping

from halftone.serving.gateway.background import BackgroundTasks
from halftone.serving.gateway.exchange import Outcome, RoutedRequest
from halftone.serving.gateway.upstream import Upstream
from halftone.serving.http.request import Route
from halftone.serving.invocation import Invocation, marked
from halftone.serving.routing.router import MIRROR, PINNED, Assignment, Router
from halftone.serving.telemetry.capture import body_in, captured, kept_label
from halftone.serving.telemetry.feedback import Feedback
from halftone.serving.telemetry.metrics import Telemetry
from halftone.serving.telemetry.sticky_keys import KeyObservations

_NO_FALLBACK: Mapping[str, float] = {"Fallback": 0}


class Recorder:
    """Leaves them, in the log and at the shadow."""

    def __init__(
        self, telemetry: Telemetry, upstream: Upstream, background: BackgroundTasks
    ) -> None:
        self._telemetry = telemetry
        self._upstream = upstream
        self._background = background
        self._sightings = KeyObservations(telemetry.key)

    def answered(self, arm: Assignment, result: Outcome, invocation: Invocation) -> None:
        """The arm answered its request."""
        passed_on = result.version != invocation.version and arm.cohort != PINNED
        self._telemetry.request(
            arm.version,
            latency_ms=result.latency_ms,
            status=result.status,
            cold=result.cold,
            cohort=arm.cohort,
            more=_NO_FALLBACK if passed_on else None,
        )
        if arm.key:
            late = None if result.cold else self._telemetry.is_late(result.latency_ms)
            self._saw(arm, failed=result.status >= 500, late=late)

    def fallback(self, arm: Assignment) -> None:
        """The front answered in the arm's place, after that one had failed."""
        self._telemetry.fallback(arm.version, cohort=arm.cohort)
        self._saw(arm, failed=True, late=None)

    def skipped(self, arm: Assignment) -> None:
        """The front answered in the arm's place, without asking it: no evidence."""
        self._telemetry.skipped(arm.version, cohort=arm.cohort)

    def started(self, arm: Assignment) -> None:
        """The front answered in the arm's place while a sandbox of it started: no evidence."""
        self._telemetry.started(arm.version, cohort=arm.cohort)

    def kept(self, routed: RoutedRequest, result: Outcome) -> None:
        """The rest, of which a client notices nothing: the shadow's copy, and the captured line."""
        if (
            routed.arm.shadow is not None
            and result.status < 400
            and routed.request.route is not Route.APP
            and not self.later(lambda: self._mirror(routed, result))
        ):
            self._telemetry.dropped(routed.arm.shadow.version)
        if routed.router.captures(routed.invocation.request_id):
            columns = _columns(routed, result)
            self.later(lambda: self._capture(routed, result, columns))

    def feedback(
        self, found: Feedback, router: Router, client: str | None, *, cohort: str, late: bool
    ) -> None:
        """What an earlier answer was worth. ``cohort`` is whose evidence it is ("": nobody's),
        ``late`` whether it would have been some had it come in time.
        """
        about = found.about
        self._telemetry.feedback(
            about.version,
            reward=found.reward,
            bad=found.bad,
            cohort=PINNED if about.pinned else cohort,
            late=late,
        )
        if router.capture.share <= 0:
            return
        line = {
            "halftone": "feedback",
            "request": about.request,
            "at": int(time.time() * 1000),
            "version": about.version,
            "client": client,
            "reward": found.reward,
            "label": kept_label(found.label, router.label, router.capture.redact),
            "bad": found.bad,
        }
        self._telemetry.line(line)

    def later(self, work: Callable[[], None]) -> bool:
        """Have ``work`` done after the answer; False if too much is waiting."""
        return self._background.add(self._safely(work))

    def _saw(self, arm: Assignment, *, failed: bool, late: bool | None) -> None:
        trial = arm.trial
        if arm.key and trial is not None:
            self._sightings.saw(
                arm.version, trial.rollout, trial.stage, arm.key, failed=failed, late=late
            )

    def _mirror(self, routed: RoutedRequest, result: Outcome) -> None:
        shadow, router, request_id = routed.arm.shadow, routed.router, routed.invocation.request_id
        if shadow is None:
            return
        trial = router.dispatch.trial
        mark: dict[str, object] = {
            "hop": MIRROR,
            "expect": shadow.version,
            "client": routed.client,
            "request": request_id,
            "sent": int(time.time()),
            "label": router.label,
            "capture": router.captures(request_id),
            "redact": router.capture.redact,
            "rollout": trial.rollout if trial else None,
            "stage": trial.stage if trial else None,
            "judged": bool(router.label and trial and trial.mirror > 0),
            "answer": {
                "version": result.version,
                "status": result.status,
                "latency_ms": round(result.latency_ms, 3),
                "predictions": result.predictions(routed.request.spoken),
            },
        }
        if shadow.qualifier == shadow.version:
            mark["routed"] = router.dispatch.revision
        if not self._upstream.send(shadow.qualifier, marked(routed.request.event, mark)):
            self._telemetry.dropped(shadow.version)

    def _capture(
        self, routed: RoutedRequest, result: Outcome, columns: Mapping[str, object]
    ) -> None:
        line = captured(
            columns,
            given=body_in(routed.request.event),
            found=result.body(),
            status=result.status,
            exchange=result.exchange,
            redact=routed.router.capture.redact,
            label=routed.router.label,
        )
        self._telemetry.line(line)

    def _safely(self, work: Callable[[], None]) -> Callable[[], None]:
        def done() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - nobody is there to be told but the log
                self._telemetry.fault("work after an answer", error, version="", request_id="")

        return done


def _columns(routed: RoutedRequest, result: Outcome) -> dict[str, object]:
    arm, invocation = routed.arm, routed.invocation
    return {
        "kind": "answer",
        "request": invocation.request_id,
        "at": int(time.time() * 1000),
        "version": arm.version,
        "answered_by": result.version,
        "rollout": arm.trial.rollout if arm.trial else None,
        "stage": arm.trial.stage if arm.trial else None,
        "client": routed.client,
        "key": arm.key or None,
        "pinned": arm.cohort == PINNED,
        "status": result.status,
        "latency_ms": round(invocation.elapsed_ms(), 3),
        "cold": result.cold,
        "fallback": result.fallback,
    }
