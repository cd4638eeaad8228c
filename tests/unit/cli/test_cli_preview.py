"""``halftone plan preview``: which plan, which traffic, and what is told of them."""

from datetime import timedelta

import pytest

from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.plan import PRESETS
from tests.support.engine import NAME

BUSY = Arm(requests=100, errors=1, timed=100, late=1)


@pytest.fixture
def busy(rolling):
    """An hour of ten requests a second beside the rollout of the fixture."""
    rolling.endpoint.traffic(timedelta(hours=1), challenger=Arm(5, 0, 5), champion=Arm(5, 0, 5))
    return rolling


def weights(found):
    return [step["weight"] for step in found["steps"]]


def test_an_endpoint_is_previewed_at_its_own_traffic_and_plan(busy):
    document = busy("plan", "preview", NAME, "--json").json

    assert document["endpoint"] == NAME
    assert document["plan_of"] == f"rollout {busy.endpoint.rollout.id}"
    assert weights(document) == [5, 50, 95]
    assert document["traffic"]["requests_a_second"] == 10.0
    assert document["steps"][0]["requests_a_second"] == 0.5


def test_the_text_has_a_row_a_step_and_says_who_pays(busy):
    lines = busy("plan", "preview", NAME, "--plan", "large-model").out.splitlines()

    assert lines[0].startswith(
        "large-model at 10 requests a second (the last hour: 36,000 requests"
    )
    assert [line.split()[0] for line in lines[2:6]] == ["step", "step", "step", "bake"]
    assert "10 % (approval)" in lines[3]
    assert lines[6].startswith("promoted: after ")
    assert lines[6].endswith(", and what people take for 1 approval")
    assert lines[7].startswith("failed: in mode weighted; in mode guarded none would")


def test_given_numbers_need_no_stage_and_warn_with_arithmetic(cli):
    ran = cli("plan", "preview", "--plan", "gradual", "--rate", "1", "--error-rate", "1 %")

    assert ran.code == 0
    assert ran.out.startswith("gradual at 1 requests a second (as given; 1 % taken to err")
    assert "\nwarning: step 1 gives the challenger 0.05 requests a second: the proof" in ran.out


def test_where_a_key_draws_the_text_counts_keys(cli):
    ran = cli("plan", "preview", "--plan", "large-model", "--rate", "20", "--key-rate", "3000")

    lines = ran.out.splitlines()
    assert lines[0].startswith("large-model at 20 requests a second of 3,000 new keys an hour (as")
    assert "0.2 requests a second" in lines[2]
    assert "300 new keys an hour" in lines[3]
    assert "1,350 new keys an hour" in lines[5]
    assert "in mode weighted" not in ran.out


def test_keys_can_be_given_beside_the_traffic_that_was_seen(busy):
    document = busy("plan", "preview", NAME, "--key-rate", "360", "--json").json

    assert document["traffic"]["keys_an_hour"] == 360
    assert document["traffic"]["requests_a_second"] == 10.0
    assert (document["steps"][0]["counts"], document["steps"][0]["counted_an_hour"]) == (
        "keys",
        18.0,
    )


def test_an_error_rate_replaces_the_one_that_was_seen(busy):
    document = busy("plan", "preview", NAME, "--error-rate", "2", "--json").json

    assert document["traffic"]["errors_percent"] == pytest.approx(2)
    assert document["traffic"]["source"].endswith("; errors taken as 2 %")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: fraud\nmodel: m\nplan: {steps: [{weight: 7}], bake: none}", [7]),
        ("name: fraud\nmodel: m\n", [5, 20, 50, 95]),
        ("plan: {steps: [{weight: 8}], bake: none}", [8]),
        ("steps: [{weight: 9}]\nbake: none", [9]),
        ("gradual", [5, 20, 50, 95]),
    ],
    ids=["endpoint", "endpoint without a plan", "as plan show prints it", "bare", "a preset"],
)
def test_a_plan_is_read_from_a_file(cli, tmp_path, text, expected):
    path = tmp_path / "plan.yaml"
    path.write_text(text)

    document = cli("plan", "preview", "--plan", str(path), "--rate", "50", "--json").json

    assert weights(document) == expected


def test_what_plan_show_prints_can_be_previewed(cli, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(cli("plan", "show", "internal").out)

    document = cli("plan", "preview", "--plan", str(path), "--rate", "50", "--json").json

    assert weights(document) == [stage.weight for stage in PRESETS["internal"].stages]
    assert document["approvals"] == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "--plan is missing, expected gradual, internal"),
        (("--plan", "gradual"), 2, "--rate is missing, expected requests a second, or an ENDPOINT"),
        (("--plan", "gradual", "--rate", "0"), 2, "--rate is 0.0, expected requests a second, fro"),
        (("--plan", "large-model", "--rate", "5e-324"), 2, "--rate is 5e-324, expected requests"),
        (("--plan", "gradual", "--rate", "nan"), 2, "--rate is nan"),
        (
            ("--plan", "gradual", "--rate", "1", "--key-rate", "5000"),
            2,
            "--key-rate is 5000.0, expected new keys an hour, from 0.0036 to the 3,600 requests",
        ),
        (("--plan", "gradual", "--rate", "1", "--error-rate", "0"), 2, "--error-rate is '0', exp"),
        (
            ("--plan", "no-such-file", "--rate", "1"),
            2,
            "--plan is 'no-such-file', expected gradual",
        ),
        (("nope",), 3, "there is no endpoint 'nope'"),
        (("No!",), 2, "ENDPOINT is 'No!'"),
        ((NAME,), 4, "'fraud' had no requests in the last hour: give a rate"),
    ],
)
def test_what_cannot_be_reckoned_is_told_in_a_line(cli, words, code, told):
    cli.endpoint.serve("risk-1")

    ran = cli("plan", "preview", *words)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error: {told}")
    assert ran.err.count("\n") == 1


def test_a_file_that_is_no_yaml_or_no_plan_is_named(cli, tmp_path):
    path = tmp_path / "plan.yaml"
    for text, message in (
        ("{", "line 1 is"),
        ("steps: 5", "plan.steps is 5"),
        ("", "plan is missing"),
    ):
        path.write_text(text)
        ran = cli("plan", "preview", "--plan", str(path), "--rate", "1")
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert message in ran.err
