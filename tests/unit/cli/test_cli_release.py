"""``halftone release``: from a folder on disk to a rollout, by the control API."""

import json
from datetime import timedelta

import pytest

from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.plan import PRESETS
from halftone.packaging.folder import build_package
from tests.support.engine import NAME
from tests.support.packages import DOUBLES, folder_with

MINUTE = timedelta(minutes=1)


@pytest.fixture
def folder(tmp_path):
    return folder_with(tmp_path / "models" / "v2")


@pytest.fixture
def served(cli):
    cli.endpoint.serve("risk-1")
    return cli


@pytest.fixture
def declared(folder, tmp_path):
    (tmp_path / "endpoint.yaml").write_text(f"name: {NAME}\nmodel: models/v2\nplan: large-model\n")
    return folder


def test_a_package_is_uploaded_and_its_rollout_begins(served, folder):
    ran = served("release", str(folder), "-e", NAME, "--plan", "gradual", "-m", "trained on May")

    rollout = served.endpoint.rollout
    assert ran.code == 0
    assert rollout.package == build_package(folder).ref
    assert (rollout.plan, rollout.message) == (PRESETS["gradual"], "trained on May")
    assert rollout.actor == "arn:aws:iam::111111111111:user/ann"
    assert ran.out == (
        f"fraud: {rollout.package} goes out\n"
        f"rollout {rollout.id}; `halftone rollout watch fraud` shows it\n"
    )


def test_the_declaration_above_the_package_names_its_endpoint(served, declared):
    assert served("release", str(declared)).code == 0

    assert served.endpoint.rollout.plan == PRESETS["large-model"]


def test_the_plan_of_the_last_release_is_the_default(served, folder):
    assert served("release", str(folder), "-e", NAME).code == 0

    assert served.endpoint.rollout.plan.stages == ()


def test_what_the_plan_cannot_do_is_told_with_the_arithmetic(served, folder, tmp_path):
    served.endpoint.traffic(timedelta(hours=1), champion=Arm(1, 0, 1))
    plan = tmp_path / "plan.yaml"
    plan.write_text("steps: [{weight: 1, min_time: 1m, max_time: 10m}]\nbake: none")

    ran = served("release", str(folder), "-e", NAME, "--plan", str(plan), "--json")

    assert (ran.code, ran.json["endpoint"]) == (0, NAME)
    assert (
        "warning: step 1 gives the challenger 0.001 requests a second: 100 requests take 1d3h47m, "
        "max_time is 10m; it is held until they have come"
    ) in ran.err


def test_with_watch_it_ends_as_the_rollout_does(served, folder):
    def wait():
        served.endpoint.traffic(MINUTE)
        served.endpoint.tick()

    served.while_waiting = wait

    ran = served("release", str(folder), "-e", NAME, "--plan", "all-at-once", "--watch")

    assert ran.code == 0
    assert "promoted: the alias reads 100 %" in ran.out.splitlines()[-1]


def test_ctrl_c_while_watching_says_that_the_rollout_goes_on(served, folder):
    def interrupt():
        raise KeyboardInterrupt

    served.while_waiting = interrupt

    ran = served("release", str(folder), "-e", NAME, "--watch")

    assert ran.code == 130
    message = ran.err.splitlines()[1:]  # after the note on the upload
    assert [line.split(";")[0] for line in message] == ["no longer watching"]


def test_ctrl_c_while_uploading_changes_nothing(served, folder, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(served, "upload", interrupt)
    before = served.endpoint.state

    ran = served("release", str(folder), "-e", NAME)

    assert ran.code == 130
    assert ran.err.endswith("interrupted: nothing was changed; the same command begins again\n")
    assert served.endpoint.state == before


def test_what_serves_already_begins_nothing(served, folder):
    served("release", str(folder), "-e", NAME)
    for _ in range(9):
        served.endpoint.tick()
    records = len(served.endpoint.history)

    ran = served("release", str(folder), "-e", NAME, "--json")

    assert ran.code == 0
    assert ran.json == {
        "endpoint": NAME, "rollout": None, "message": "it serves already", "warnings": [],
    }  # fmt: skip
    assert len(served.endpoint.history) == records + 1


def test_another_rollout_is_named_and_only_ended_on_demand(rolling, folder):
    running = rolling.endpoint.rollout.id

    refused = rolling("release", str(folder), "-e", NAME)
    assert (refused.code, refused.out) == (4, "")
    assert running in refused.err

    assert rolling("release", str(folder), "-e", NAME, "--supersede").code == 0
    assert rolling.endpoint.rollout.id != running


def test_the_same_request_starts_once(served, folder):
    for _ in range(2):
        ran = served("release", str(folder), "-e", NAME, "--request", "build-1841")
        assert ran.code == 0

    assert served.endpoint.actions.count("release") == 2  # the champion's, and this one


def test_ctrl_c_after_the_request_says_how_to_go_on(served, folder):
    served.cut_off = True

    ran = served("release", str(folder), "-e", NAME)

    assert ran.code == 130
    assert "--request cli-" in ran.err


def test_a_package_that_answers_wrongly_is_not_even_uploaded(served, folder):
    (folder / "predict.py").write_text(DOUBLES.replace("2 *", "3 *"))
    before = served.endpoint.state

    ran = served("release", str(folder), "-e", NAME)

    assert (ran.code, served.sent) == (2, [])
    assert "sample 1 of 1: predictions[0].y is 4.5" in ran.err
    assert served.endpoint.state == before
    assert served("release", str(folder), "-e", NAME, "--no-run").code == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["no/such/folder", "-e", NAME], 2, "PACKAGE is 'no/such/folder', expected"),
        (["FOLDER"], 2, "--endpoint is missing, expected an endpoint, where no endpoint.yaml"),
        (["FOLDER", "-e", "E!"], 2, "--endpoint is 'E!'"),
        (["FOLDER", "-e", "nope"], 3, "there is no endpoint 'nope'"),
        (["FOLDER", "-e", NAME, "--plan", "nope"], 2, "--plan is 'nope', expected gradual"),
        (["nothing:7", "-e", NAME], 3, "there is no model"),
    ],
)
def test_what_cannot_be_released_is_told(served, folder, words, code, told):
    ran = served("release", *(str(folder) if text == "FOLDER" else text for text in words))

    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err.splitlines()[-1]


def test_the_package_travels_as_its_digest_says(served, folder):
    served("release", str(folder), "-e", NAME)

    bodies = [json.loads(request.body) for request in served.sent if request.method == "POST"]
    assert bodies[0] == {"digest": build_package(folder).digest}
    assert bodies[1]["digest"] == bodies[0]["digest"]
