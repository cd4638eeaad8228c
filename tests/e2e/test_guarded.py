"""Guarded routing on real parts: no client notices a challenger that fails, and it comes back."""

import json
import shutil
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from demo.traffic import Traffic
from halftone.domain.audit import Author
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.domain.traffic.assignment import position, salted
from halftone.service.endpoints.clients import add_client, revoke_client
from halftone.service.endpoints.policy import set_serving
from tests.e2e.support import MODELS, Stage

BY = {"author": Author("test", "end to end")}
SPREAD = timedelta(seconds=6)
"""How long fronts may act on the dispatch before."""

RAMP = [
    {"weight": 20, "min_time": "15s", "min_requests": 20},
    {"weight": 60, "min_time": "15s", "min_requests": 20},
]
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
    existing = sampled()
    unknown = [one for one in records if one["mean_radius"] not in existing]
    return [json.dumps({"instances": [one]}).encode() for one in unknown]


def faulty(folder: Path, fault: str) -> str:
    """The challenger's package, which fails on all that its smoke test does not ask."""
    shutil.copytree(MODELS / "challenger", folder)
    ordered = sorted(sampled())
    code = (folder / "predict.py").read_text().replace("def run(", "def _run(")
    code += f"""
import os
import time

def run(instances):
    if not all(one["mean_radius"] in {ordered!r} for one in instances):
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
    fields = {"content-type": "application/json", **headers}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, fields), timeout=30
        ) as answer:
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


def test_users_stay_on_their_version_and_see_no_failure(
    stage: Stage,
) -> None:
    """Keys are the evidence of each step; who met the challenger at one is with it at the next."""
    set_serving(stage.ports, "sticky", {"key": {"header": "x-user"}}, **BY)
    users = {f"user-{i}": position(salted("sticky"), f"user-{i}") for i in range(240)}
    with stage.traffic("sticky", rate=30, users=list(users)) as traffic:
        stage.release("sticky", "challenger", steps=RAMP, bake="none")
        ended = stage.until_over("sticky", 240)
        stage.until(
            "all users meet the new version",
            lambda: {answer.version for answer in traffic.answers[-200:]} == {"2"},
        )

    assert ended.phase is Phase.PROMOTED, ended.reason
    assert ended.sticky
    assert {answer.status for answer in traffic.answers} == {200}, traffic.by_version()
    live = stage.ports.aliases.both("sticky").live.routing
    assert live == Routing("2")
    assert stage.state("sticky").champion.version == "2"
    advanced = next(one for one in stage.records("sticky") if one.action == "advance")
    assert advanced.numbers["stage_requests"] <= 2 * sum(at < 20 for at in users.values())
    first, second = steps_of(stage, traffic)
    for step, (met, share) in enumerate(((first, 20), (second, 60)), 1):
        below = {user for user in met if users[user] < share}
        challenged = {user for user, versions in met.items() if "2" in versions}
        assert len(met) > 120, step
        assert challenged <= below, step
        # On a busy machine the champion may have answered one of theirs in the challenger's place.
        assert len(challenged) > 0.9 * len(below), step
    stayed = {user for user in second if "2" in first.get(user, ())}
    assert len(stayed) > 20
    assert len([user for user in stayed if "2" in second[user]]) > 0.9 * len(stayed)
    for pin in ("1", "2"):
        assert ask(stage, "sticky", {"x-halftone-deployment": pin}) == (200, pin)
    assert ask(stage, "sticky", {"x-halftone-deployment": "9"})[0] == 404


def steps_of(stage: Stage, traffic: Traffic) -> list[dict[str, set[str]]]:
    """By step of the rollout: the versions that each user met in it, once all fronts knew of it."""
    last = stage.rollout("sticky").started_at
    marks = [one for one in stage.records("sticky") if one.at >= last]
    began = [one.at + SPREAD for one in marks if one.action == "shifted"]
    ended = [one.at for one in marks if one.action == "advance"]
    result: list[dict[str, set[str]]] = []
    for since, until in zip(began, ended, strict=True):
        met: dict[str, set[str]] = defaultdict(set)
        for answer in traffic.answers:
            if since <= answer.at < until:
                met[answer.user].add(answer.version)
        result.append(met)
    return result


def test_a_private_endpoint_lets_in_a_token_until_it_is_revoked(stage: Stage) -> None:
    added = add_client(stage.ports, "private", "shop", **BY)
    set_serving(stage.ports, "private", {"access": "private"}, **BY)
    bearer = {"authorization": f"Bearer {added.token}"}
    stage.until("a stranger is sent away", lambda: ask(stage, "private", {})[0] == 401, 30)
    assert ask(stage, "private", bearer)[0] == 200
    assert ask(stage, "private", {"authorization": f"Bearer {added.token[:-1]}x"})[0] == 401

    revoked_at = time.monotonic()
    revoke_client(stage.ports, "private", added.client.token_id, **BY)
    stage.until("the token is refused", lambda: ask(stage, "private", bearer)[0] == 401, 15)
    assert time.monotonic() - revoked_at < 12
