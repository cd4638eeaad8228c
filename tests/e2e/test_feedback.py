"""Feedback on real parts: what is forged, replayed or pinned decides nothing; honest one does."""

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

from halftone.domain.rollout.evidence import Evidence
from halftone.domain.rollout.phase import Phase
from halftone.serving.telemetry.feedback import SPREAD_SECONDS
from tests.e2e.support import Stage

NAME = "judged"
STEPS = [{"weight": 50, "min_time": "1h", "min_requests": 1}]


def ask(stage: Stage, **headers: str) -> tuple[str, str]:
    """The id and the version of the answer to one real record."""
    lines = (stage.cloud.endpoints / NAME / "traffic.jsonl").read_text().splitlines()
    body = json.dumps({"instances": [json.loads(lines[0])["instance"]]}).encode()
    fields = {"content-type": "application/json", **headers}
    request = urllib.request.Request(stage.cloud.url(NAME), body, fields)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["x-request-id"], answer.headers["x-halftone-version"]


def judge(stage: Stage, named: str, reward: float) -> int:
    """The status of the answer to feedback."""
    url = stage.cloud.url(NAME).replace("/invocations", "/feedback")
    body = json.dumps({"request_id": named, "reward": reward}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def evidence(stage: Stage, rollout: str) -> Evidence:
    """What the engine has counted so far."""
    evidence = stage.ports.evidence.load_evidence(NAME, rollout)
    assert evidence is not None
    return evidence


def counted(stage: Stage, rollout: str) -> tuple[int, int]:
    """How many answers of challenger and champion were judged, once all until now are counted."""
    now = datetime.now(UTC) + timedelta(seconds=5)
    stage.until("a look at all of it", lambda: evidence(stage, rollout).until > now)
    result = evidence(stage, rollout)
    return result.challenger.judged, result.champion.judged


def test_forged_feedback_is_nothing_and_honest_feedback_decides(
    stage: Stage,
) -> None:
    rollout = stage.release(NAME, "challenger", steps=STEPS).id
    began = stage.until_phase(NAME, Phase.OBSERVING).stage_since
    assert began is not None
    ready = began + timedelta(seconds=SPREAD_SECONDS + 1)
    time.sleep(max(0.0, (ready - datetime.now(UTC)).total_seconds()))
    answers = [ask(stage) for _ in range(40)]
    ours = [named for named, version in answers if version == "2"]
    theirs = [named for named, version in answers if version == "1"]
    assert ours
    assert theirs

    for named in theirs:  # of the champion's, as if they were the challenger's, and unsigned
        request, _, rest = named.partition(".")
        assert judge(stage, f"{request}.2.{rest.partition('.')[2]}", 0) == 422
        assert judge(stage, f"{request}.2", 0) == 422
    for _ in range(30):  # one, over and over, and whoever names the version itself
        assert judge(stage, ours[0], 0) == 202
    pinned = [ask(stage, **{"x-halftone-deployment": "2"})[0] for _ in range(30)]
    assert {judge(stage, named, 0) for named in pinned} == {202}
    assert counted(stage, rollout) == (1, 0)
    assert stage.rollout(NAME).phase is Phase.OBSERVING

    for _ in range(60):
        named, version = ask(stage)
        judge(stage, named, 0 if version == "2" else 1)
    ended = stage.until_over(NAME)
    assert ended.phase is Phase.ROLLED_BACK
    assert "most of it by bad" in ended.reason
