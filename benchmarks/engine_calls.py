"""The calls that the engine makes to AWS, counted: real adapters and boto3, on moto.

``counted()`` plays the acts of an engine's life, each once, and answers the calls of each in their
order.
"""

from contextlib import suppress
from datetime import timedelta

from benchmarks.engine_stage import ENDPOINT, Act, CountedStage, moto
from halftone.domain.audit import Author
from halftone.domain.errors import Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.service.releases.revert import revert
from halftone.service.rollouts import operate
from halftone.service.rollouts.rollback import roll_back


def counted() -> list[Act]:
    """Every act, with its calls."""
    with moto():
        stage = CountedStage()
        stage.act("release: check, keep, record", stage.release)
        stage.act("tick: point the function", stage.tick)
        stage.act("tick: publish, smoke-test, arm, give traffic (first release)", stage.tick)
        stage.must_be(Phase.PROMOTED)
        stage.act("tick: nothing rolls out", stage.tick)
        _forward(stage)
        _back(stage)
        return stage.acts


def _forward(stage: CountedStage) -> None:
    stage.release()
    stage.tick()
    stage.act("tick: publish, smoke-test, arm, give the first share", stage.tick)
    stage.must_be(Phase.OBSERVING)
    stage.act("tick: no bucket has closed (quiet)", stage.tick)
    stage.clock.pass_by(timedelta(minutes=2))
    stage.act("tick: a bucket has closed, wait", stage.tick)
    stage.must_be(Phase.OBSERVING)
    author = Author("ann", "a look first")
    stage.act("pause", lambda: operate.pause(stage.ports, ENDPOINT, author=author))
    stage.act("resume", lambda: operate.resume(stage.ports, ENDPOINT, author=author))
    stage.traffic()
    stage.act("tick: pass, give the next share, confirm", stage.tick)
    stage.must_be(Phase.PROMOTED)


def _back(stage: CountedStage) -> None:
    author = Author("ann", "worse")

    def back() -> None:
        roll_back(stage.ports, ENDPOINT, author=Author("alarm", "red"), fired_at=stage.clock.now())

    def back_without_table() -> None:
        stage.table_answers = False
        with suppress(Unavailable):
            back()
        stage.table_answers = True

    stage.observed()
    stage.act("rollback by an alarm's event", back)
    stage.act("the same event again", back)
    stage.observed()
    stage.alarm()
    stage.act("rollback by a tick that sees a red alarm", stage.tick)
    stage.must_be(Phase.ROLLED_BACK)
    stage.alarm("OK")
    stage.observed()
    stage.traffic(errors=0.5)
    stage.act("rollback by a tick that sees a proof", stage.tick)
    stage.must_be(Phase.ROLLED_BACK)
    stage.observed()
    stage.act("abort", lambda: operate.abort(stage.ports, ENDPOINT, author=author))
    stage.must_be(Phase.ROLLED_BACK)
    stage.observed()
    stage.act("rollback while the table is out", back_without_table)
    stage.must_be(Phase.OBSERVING)
    stage.act("the next tick after that", stage.tick)
    stage.must_be(Phase.ROLLED_BACK)
    stage.observed()

    def returned() -> None:
        revert(stage.ports, ENDPOINT, version=None, author=author)

    stage.act("return, with a rollout under way", returned)
    stage.act("return to the champion before", returned)
    stage.guarded()
    stage.release()
    stage.tick()
    stage.act("guarded: publish, smoke-test, arm, give the first share", stage.tick)
    stage.must_be(Phase.OBSERVING)
    stage.act("guarded: rollback by an alarm's event", back)
    stage.observed()
    stage.act("guarded: abort", lambda: operate.abort(stage.ports, ENDPOINT, author=author))
    stage.observed()
    stage.act("guarded: rollback while the table is out", back_without_table)
