"""Guarded routing on real parts: no client notices a challenger that fails, and it comes back."""

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from demo.traffic import Traffic
from halftone.domain.assignment import position, salted
from halftone.domain.phase import Phase
from halftone.service.clients import add_client, revoke_client
from halftone.service.settings import set_serving
from tests.e2e.support import MODELS, Stage

BY = {"actor": "test", "reason": "end to end"}
STEPS = [{"weight": 50, "min_time": "1h", "min_requests": 1}]
FAULTS = {
    "raising": "raise RuntimeError('no such tumour')",
    "sleeping": "time.sleep(4)",
    "dying": "os._exit(1)",
}


def sampled() -> set[float]:
    """The radii in the challenger's samples, by which a faulty one knows its smoke test."""
    samples = json.loads((MODELS / "challenger" / "samples.json").read_text())
    return {one["mean_radius"] for sample in samples for one in sample["instances"]}


def strangers(stage: Stage, endpoint: str) -> list[bytes]:
    """Requests for real records, without those that a faulty challenger would answer."""
    lines = (stage.cloud.endpoints / endpoint / "traffic.jsonl").read_text().splitlines()
    records = [json.loads(line)["instance"] for line in lines]
    known = sampled()
    unknown = [one for one in records if one["mean_radius"] not in known]
    return [json.dumps({"instances": [one]}).encode() for one in unknown]


def faulty(folder: Path, fault: str) -> str:
    """The challenger's package, which fails on all that its smoke test does not ask."""
    shutil.copytree(MODELS / "challenger", folder)
    known = sorted(sampled())
    code = (folder / "predict.py").read_text().replace("def run(", "def _run(")
    code += f"""
import os
import time

def run(instances):
    if not all(one["mean_radius"] in {known!r} for one in instances):
        {fault}
    return _run(instances)
"""
    (folder / "predict.py").write_text(code)
    return str(folder)


def ask(stage: Stage, endpoint: str, headers: Mapping[str, str], path: str = "") -> tuple[int, str]:
    """One real record with those headers; the status and the version that answered."""
    lines = (stage.cloud.endpoints / endpoint / "traffic.jsonl").read_text().splitlines()
    body = json.dumps({"instances": [json.loads(lines[0])["instance"]]}).encode()
    url = stage.cloud.url(endpoint).removesuffix("/invocations") + (path or "/invocations")
    given = {"content-type": "application/json", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, given), timeout=30) as answer:
            return answer.status, answer.headers["x-halftone-version"]
    except urllib.error.HTTPError as error:
        return error.code, str(error.headers["x-halftone-version"])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_challenger_that_fails_costs_no_client_a_request(
    stage: Stage, tmp_path: Path, fault: str
) -> None:
    endpoint = f"guarded-{fault}"
    package = faulty(tmp_path / "package", FAULTS[fault])
    url = stage.cloud.url(endpoint)
    with Traffic(url, strangers(stage, endpoint), rate=30) as traffic:
        stage.release(endpoint, package, steps=STEPS)
        ended = stage.until_over(endpoint)
        stage.until("1,000 answers", lambda: len(traffic.answers) >= 1000)

    assert ended.phase is Phase.ROLLED_BACK, ended.reason
    assert {answer.status for answer in traffic.answers} == {200}, traffic.by_version()
    assert {answer.version for answer in traffic.answers} == {"1"}


def test_the_same_user_meets_the_same_version_and_pins_reach_theirs(stage: Stage) -> None:
    set_serving(stage.parts, "sticky", {"key": {"header": "x-user"}}, **BY)
    stage.release("sticky", "challenger", steps=STEPS)
    stage.until_phase("sticky", Phase.OBSERVING)
    stage.until(
        "the front has read the dispatch",
        lambda: ask(stage, "sticky", {"x-user": user_at(0, 50)}) == (200, "2"),
    )
    for user in (f"user-{i}" for i in range(40)):
        expected = "2" if position(salted("sticky"), user) < 50 else "1"
        assert ask(stage, "sticky", {"x-user": user}) == (200, expected)
    for pin in ("1", "2"):
        assert ask(stage, "sticky", {"x-halftone-deployment": pin}) == (200, pin)
    assert ask(stage, "sticky", {"x-halftone-deployment": "9"})[0] == 404


def user_at(low: float, high: float) -> str:
    """A user whose position at the endpoint ``sticky`` is in [low, high)."""
    users = (f"someone-{i}" for i in range(1000))
    return next(user for user in users if low <= position(salted("sticky"), user) < high)


def test_a_private_endpoint_lets_in_who_has_a_token_until_it_is_revoked(stage: Stage) -> None:
    added = add_client(stage.parts, "private", "shop", **BY)
    set_serving(stage.parts, "private", {"access": "private"}, **BY)
    bearer = {"authorization": f"Bearer {added.token}"}
    stage.until("a stranger is sent away", lambda: ask(stage, "private", {})[0] == 401, 30)
    assert ask(stage, "private", bearer)[0] == 200
    assert ask(stage, "private", {"authorization": f"Bearer {added.token[:-1]}x"})[0] == 401

    revoked_at = time.monotonic()
    revoke_client(stage.parts, "private", added.client.token_id, **BY)
    stage.until("the token is refused", lambda: ask(stage, "private", bearer)[0] == 401, 15)
    assert time.monotonic() - revoked_at < 12
