"""Deployments, models, logs and figures, by the real API on a world in memory."""

import json
import re
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.errors import Unavailable
from halftone.domain.model.schema import Field, FieldType
from halftone.domain.rollout.phase import Phase
from tests.support.deployments import served_by
from tests.support.engine import NAME

SPAN = timedelta(seconds=5)


@pytest.fixture
def three(cli):
    """risk-3 serves; risk-1 and risk-2 were champions before it."""
    cli.endpoint = served_by("risk-1", "risk-2", "risk-3")
    return cli


def test_deployments_are_listed_newest_first_with_their_shares(three):
    heading, *rows = three("deployments", "list", NAME).out.splitlines()

    assert heading.split()[:4] == ["version", "name", "status", "share"]
    assert [row.split()[0] for row in rows] == ["3", "2", "1"]
    assert re.split("  +", rows[0])[2:4] == ["Deployed", "100 %"]
    document = three("deployments", "list", NAME, "--json").json
    assert [d["share"] for d in document["deployments"]] == [100.0, 0.0, 0.0]


def test_a_deployment_is_named_and_found_by_its_name(three):
    ran = three("deployments", "name", NAME, "2", "green", "--message", "as agreed")

    assert ran.code == 0
    assert "name     green\n" in ran.out
    assert three("deployments", "show", NAME, "green", "--json").json["version"] == "2"
    assert three.endpoint.history[-1].reason == "as agreed"


def test_a_deployment_is_scaled(three):
    ran = three("deployments", "scale", NAME, "2", "4")

    assert ran.code == 0
    assert "replicas 4 of 4 ready\n" in ran.out
    assert three("deployments", "scale", NAME, "2", "-1").code == 2


def test_a_deployment_is_stopped_and_started(three):
    assert "status   Stopped\n" in three("deployments", "stop", NAME, "2", "-m", "leaks").out
    assert three("deployments", "start", NAME, "2").code == 0
    assert "status   Deployed\n" in three("deployments", "show", NAME, "2").out


def test_a_deployment_is_deleted_by_name_and_stays_on_record(three):
    three("deployments", "name", NAME, "1", "blue")

    ran = three("deployments", "delete", NAME, "blue", "--yes", "--message", "spring cleaning")

    assert ran.code == 0
    assert len(three("deployments", "list", NAME).out.splitlines()) == 3
    assert len(three("deployments", "list", NAME, "--deleted").out.splitlines()) == 4
    assert three.endpoint.history[-1].reason == "spring cleaning"


def test_the_history_of_deployments_is_shown_whole_and_by_one(three):
    three("deployments", "name", NAME, "1", "blue")
    three("deployments", "delete", NAME, "blue", "--yes", "--message", "spring cleaning")

    heading, *rows = three("deployments", "history", NAME).out.splitlines()
    assert heading.split()[:3] == ["version", "name", "published"]
    assert [re.split("  +", row)[0] for row in rows] == ["3", "2", "1"]
    assert "1024 MB" in rows[0]
    assert rows[0].endswith("champion")
    assert rows[2].endswith("deleted: spring cleaning")
    one = three("deployments", "history", NAME, "blue").out
    assert "state        deleted: spring cleaning\n" in one
    *_, event = (re.split("  +", line) for line in one.splitlines())
    assert event[3:] == ["deleted", "spring cleaning"]
    deployments = three("deployments", "history", NAME, "--json").json["deployments"]
    assert [d["deleted"] for d in deployments] == [False, False, True]


def test_deleting_is_asked_about_on_a_terminal(three):
    three.interactive = True
    before = three.endpoint.state

    ran = three("deployments", "delete", NAME, "1", typed="n\n")

    assert ran.code == 1
    assert ran.err.startswith("Delete version 1 (risk-1@")
    assert three.endpoint.state == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("delete", NAME, "3", "--yes"), 4),
        (("stop", NAME, "3"), 4),
        (("show", NAME, "nope"), 3),
        (("name", NAME, "1", "No!"), 2),
        (("list", "No!"), 2),
        (("list", "nope"), 3),
    ],
)
def test_what_must_not_be_is_refused_and_changes_nothing(three, words, code):
    before = three.endpoint.state

    ran = three("deployments", *words)

    assert (ran.code, ran.out) == (code, ""), ran.err
    assert ran.err.startswith("error: ")
    assert three.endpoint.state == before


def test_an_endpoint_is_shown_whole_and_its_settings_change(three):
    assert (
        three("endpoints", "set", NAME, "--description", "Is it fraud?", "--tag", "a=b").code == 0
    )

    ran = three("endpoints", "show", NAME)
    assert ran.code == 0
    assert "description  Is it fraud?\n" in ran.out
    assert "tags         a=b\n" in ran.out
    assert "takes        x: float64\n" in ran.out
    parts = shlex.split(ran.out.splitlines()[-1])
    assert (parts[0], parts[-1]) == ("curl", f"{three.api}/endpoints/{NAME}/invocations")
    assert "tags         a=b\n" in three("endpoints", "set", NAME, "--tag", "a=b").out
    assert three("endpoints", "set", NAME, "--tag", "a").code == 0
    document = three("endpoints", "show", NAME, "--json").json
    assert (document["settings"]["tags"], document["signature"]["version"]) == ({}, "3")


def test_one_page_has_all_of_an_endpoint(three):
    ran = three("endpoints", "show", NAME)

    for line in ("answering    version 3 100 %", "access       public", "created      2026-"):
        assert f"\n{line}" in ran.out
    assert "address      http://127.0.0.1:9/endpoints/fraud\n" in ran.out
    (row,) = (line for line in ran.out.splitlines() if line.startswith("3  "))
    assert re.split("  +", row)[2:7] == [
        "Deployed",
        "100 %",
        row.split()[5],
        "1024 MB",
        "0 of 0",
    ]


def test_a_failed_endpoint_is_shown_with_its_reason(cli):
    cli.endpoint.offer("risk-1", {"statusCode": 500, "body": "broken"})
    cli.endpoint.release("risk-1")
    cli.endpoint.tick_until(Phase.FAILED)

    ran = cli("endpoints", "show", NAME)

    assert ran.code == 0
    assert "Failed: risk-1@" in ran.out
    assert "sample 1 of 1" in ran.out


def test_what_a_package_says_of_its_fields_is_shown(three):
    champion = three.endpoint.state.champion.package
    packages = three.endpoint.world.packages
    described = (
        Field("age", FieldType.FLOAT64, optional=True, description="Years.", example=42.0),
        Field("limit", FieldType.INT32, default=5),
    )
    manifest = packages.manifest(champion.digest)
    packages.kept[champion.digest] = replace(manifest, inputs=described)

    ran = three("endpoints", "show", NAME)

    assert "takes        age: float64 (optional), limit: int32 (default 5)\n" in ran.out
    assert "\nage: Years.; for example 42.0\n" in ran.out


@pytest.mark.parametrize(
    "words", [(), ("--tag", "=b"), ("--concurrency", "many"), ("--concurrency", "-1")]
)
def test_settings_that_make_no_sense_are_refused(three, words):
    assert three("endpoints", "set", NAME, *words).code == 2


def test_concurrency_is_limited_and_given_back(three):
    assert "concurrency  50\n" in three("endpoints", "set", NAME, "--concurrency", "50").out
    assert "concurrency  -\n" in three("endpoints", "set", NAME, "--concurrency", "none").out


def test_models_are_listed_shown_tagged_and_pointed_at(three):
    rows = three("models", "list").out.splitlines()
    assert [row.split()[0] for row in rows] == ["model", "risk-1", "risk-2", "risk-3"]

    tagged = three(
        *("models", "tag", "risk-1:1", "validation_status=PASSED", "team=risk"),
        *("--metric", "auc=0.91", "--parameter", "depth=3"),
    )
    assert tagged.code == 0
    document = three("models", "show", "risk-1:1", "--json").json
    assert document["validation_status"] == "PASSED"
    assert (document["metrics"], document["parameters"]) == ({"auc": 0.91}, {"depth": 3})

    assert three("models", "tag", "risk-1:1", "--metric", "auc=0.92").code == 0

    assert three("models", "alias", "risk-1", "challenger", "1").out == (
        "risk-1: challenger is risk-1:1\n"
    )
    assert three("models", "show", "risk-1@challenger").code == 0
    assert three("models", "alias", "risk-1", "challenger", "none").out == "risk-1: no alias\n"
    assert "PASSED" in three("models", "show", "risk-1").out
    again = three("models", "register", "risk-1", document["digest"])
    assert (again.code, "number             1\n" in again.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "nope"), 3),
        (("show", "risk-1:9"), 3),
        (("show", "risk-1:"), 3),
        (("show", "No!"), 2),
        (("tag", "risk-1", "a=b"), 2),
        (("tag", "risk-1:1", "a"), 2),
        (("tag", "risk-1:1"), 2),
        (("tag", "risk-1:1", "--metric", "auc=["), 2),
        (("tag", "risk-1:1", "--metric", "auc=high"), 2),
        (("alias", "risk-1", "champion", "x"), 2),
        (("alias", "risk-1", "champion", "9"), 3),
        (("register", "risk-1", "0"), 2),
    ],
)
def test_models_that_are_not_there_are_told(three, words, code):
    ran = three("models", *words)

    assert (ran.code, ran.out) == (code, ""), ran.err


def test_an_empty_registry_says_so(cli):
    assert cli("models", "list").err.startswith("nothing is registered yet")


STREAM = "2026/01/01/fn[{}]{}"


@pytest.fixture
def logged(three):
    logs, clock = three.endpoint.world.logs, three.endpoint.world.clock
    for version, text in (("3", "started"), ("2", "old one")):
        logs.write(NAME, STREAM.format(version, "a" * 32), clock.now(), text)
        clock.pass_by(SPAN)
    return three


def test_logs_are_lines_in_utc_with_their_version(logged):
    assert logged("logs", NAME).out.splitlines() == [
        "2026-01-01 00:00:00.000Z 3 started",
        "2026-01-01 00:00:05.000Z 2 old one",
    ]
    assert logged("logs", NAME, "--version", "2").out == "2026-01-01 00:00:05.000Z 2 old one\n"
    [line] = logged("logs", NAME, "-n", "1", "--json").out.splitlines()
    assert json.loads(line)["text"] == "old one"


def test_of_metrics_people_see_numbers_and_programs_the_line(logged):
    line = '{"_aws": {"Timestamp": 1}, "Endpoint": "fraud", "Version": "3", "Errors": 0, "Late": 1}'
    stream = STREAM.format("3", "a" * 32)
    for text in (line, '{"level": "INFO"}'):
        logged.endpoint.world.logs.write(NAME, stream, logged.endpoint.world.clock.now(), text)

    lines = logged("logs", NAME, "-n", "2").out.splitlines()

    assert [row.split(" ", 3)[3] for row in lines] == [
        "metrics Errors=0 Late=1",
        '{"level": "INFO"}',
    ]
    assert json.loads(logged("logs", NAME, "-n", "2", "--json").out.splitlines()[0])["text"] == line


def test_following_goes_on_until_ctrl_c_past_unanswered_looks(logged):
    world = logged.endpoint.world

    def wait():
        rounds = len(logged.naps)
        # The first look after the start, and its three repetitions, are not answered.
        logged.api_down = Unavailable("no answer") if rounds <= 4 else None
        if rounds == 5:
            world.logs.write(NAME, STREAM.format("3", "a" * 32), world.clock.now(), "more\x1b[2J")
        if rounds > 12:
            raise KeyboardInterrupt

    logged.while_waiting = wait

    ran = logged("logs", NAME, "-f")

    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "2026-01-01 00:00:10.000Z 3 more\\x1b[2J"
    assert len(ran.out.splitlines()) == 3
    assert "trying again: no answer\n" in ran.err


def test_replicas_are_listed_and_the_whole_log_taken_away(logged, tmp_path):
    assert [row.split()[0] for row in logged("logs", NAME, "--replicas").out.splitlines()] == [
        "version", "2", "3",
    ]  # fmt: skip
    target = tmp_path / "fraud.log"

    ran = logged("logs", NAME, "--download", str(target))

    assert (ran.code, ran.err) == (0, f"wrote 2 lines to {target}\n")
    assert sorted(line.split()[-1] for line in target.read_text().splitlines()) == [
        "one", "started",
    ]  # fmt: skip


def test_a_number_of_lines_that_none_can_have_is_refused(logged):
    for limit in ("0", "2001"):
        assert logged("logs", NAME, "-n", limit).code == 2


def test_figures_are_told_by_version(three):
    ran = three("metrics", NAME, "--since", "15m")

    assert ran.code == 0
    assert ran.out.splitlines()[0].startswith("the last 15m, in ")
    assert ran.out.splitlines()[1].split()[:2] == ["of", "requests/s"]
    assert three("metrics", NAME, "--json").json["period_seconds"] > 0
    assert three("metrics", NAME, "--since", "soon").code == 2


def test_an_endpoint_is_owned_and_self_approval_is_a_word_on_it(three):
    ran = three("endpoints", "own", NAME, "nobody", "--self-approval")
    assert (ran.code, ran.out) == (0, "fraud: owned by nobody, self-approval allowed\n")

    ran = three("endpoints", "own", NAME, "nobody", "--json")
    assert (ran.json["owner"], ran.json["self_approval"]) == (None, None)
    assert three("endpoints", "own", NAME, "risk").code == 7
