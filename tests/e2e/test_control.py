"""The control API on real parts: signed requests release, pause, approve, resume, roll back.

Two people act: each in a session of a role of their own, as on an account.
"""

import urllib.error
import urllib.request
from typing import Any

import pytest

from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.packaging.folder import build_package
from halftone_local.addresses import api_url
from tests.e2e.support import MODELS, PLAN, Stage

NAME = "controlled"
STEP = {"weight": 20, "min_time": "1h", "min_requests": 1}


def test_a_release_from_upload_to_rollback(stage: Stage, person: Any) -> None:
    ann, ben = person("ann"), person("ben")
    endpoint = f"/v1/endpoints/{NAME}"
    status, headers, view = ann.ask("GET", endpoint)
    assert (status, view["status"], view["champion"]["version"]) == (200, "Deployed", "1")
    assert view["creator"].startswith("cloudformation/")

    status, _, team = ann.post(
        "/v1/groups",
        {"name": "clinic", "members": {ann.arn: ["admin"], ben.arn: ["approver"]}},
        key="the-clinic-s-group",
    )
    assert (status, len(team["members"])) == (201, 2)
    fields = {"owner": "clinic", "message": "theirs"}
    assert ann.ask("PUT", f"{endpoint}/owner", fields, if_match=headers["etag"])[0] == 200
    assert ann.ask("PUT", f"{endpoint}/owner", fields, if_match=headers["etag"])[0] == 412

    package = build_package(MODELS / "challenger")
    status, _, leave = ann.post(
        f"{endpoint}/uploads", {"digest": package.digest}, key="upload-of-challenger"
    )
    assert status == 201
    put = urllib.request.Request(leave["url"], package.data, leave["headers"], method="PUT")
    with urllib.request.urlopen(put, timeout=30) as stored:
        assert stored.status == 200
    body = {
        "digest": package.digest,
        "message": "sharper at night",
        "plan": {**PLAN, "steps": [{**STEP, "approval": "before"}]},
    }
    assert person("eve").post(f"{endpoint}/releases", body, key="not-hers")[0] == 403
    status, headers, begun = ann.post(f"{endpoint}/releases", body, key="release-of-challenger")
    assert status == 202, begun
    replay = ann.post(f"{endpoint}/releases", body, key="release-of-challenger")
    assert (replay[0], replay[2]) == (202, begun)
    other = {"digest": build_package(MODELS / "bad").digest}
    status, _, refused = ann.post(f"{endpoint}/releases", other, key="release-of-another")
    assert (status, refused["field"]) == (404, "package")
    rollout = headers["location"]

    stage.until_phase(NAME, Phase.AWAITING_APPROVAL)
    assert ann.post(f"{rollout}/approve", {"stage": 0}, key="ann-approves")[0] == 403
    assert ben.post(f"{rollout}/approve", {"stage": 0}, key="ben-approves")[0] == 202
    stage.until_phase(NAME, Phase.OBSERVING)
    assert stage.ports.aliases.read(NAME).routing == Routing("1", "2", 20.0)

    status, _, paused = ben.post(f"{rollout}/pause", {"message": "look first"}, key="ben-pauses")
    assert (status, paused["phase"]) == (200, "paused")
    assert ben.post(f"{rollout}/resume", key="ben-resumes")[2]["phase"] == "observing"
    again = ben.post(f"{rollout}/pause", {"message": "look first"}, key="ben-pauses")
    assert (again[1]["idempotent-replayed"], again[2]) == ("true", paused)
    assert stage.rollout(NAME).phase is Phase.OBSERVING
    assert ben.post(f"{rollout}/resume", {"message": "x"}, key="ben-pauses")[0] == 422

    status, _, back = ben.post(f"{endpoint}/rollback", {"message": "enough"}, key="ben-goes-back")
    assert (status, back["status"]) == (200, "Deployed")
    assert stage.ports.aliases.read(NAME).routing == Routing("1")

    pairs = [(r.action, r.actor) for r in stage.records(NAME) if r.actor in (ann.arn, ben.arn)]
    assert pairs == [
        ("owner", ann.arn),
        ("release", ann.arn),
        ("published", ann.arn),
        ("approved", ben.arn),
        ("paused", ben.arn),
        ("resumed", ben.arn),
        ("fence", ben.arn),
    ]
    assert ann.ask("GET", f"{endpoint}/audit/verify")[2]["verified"]
    (newest, *_) = ann.ask("GET", f"{endpoint}/history")[2]["items"]
    assert (newest["message"], newest["phase"]) == ("sharper at night", "rolled_back")
    assert ann.ask("GET", "/v1/openapi.json")[2]["openapi"].startswith("3.1")


def test_an_unsigned_request_does_not_reach_the_api(stage: Stage) -> None:
    base = api_url(stage.cloud.aws, stage.cloud.outputs()["ControlUrl"])
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{base}/v1/endpoints", timeout=30)
    refused.value.close()
    assert refused.value.code == 403
