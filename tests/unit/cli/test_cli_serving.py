"""Traffic, mirror, rules, capture and the rest, by the real API on a world in memory."""

from datetime import timedelta

import pytest
import yaml

from halftone.domain.endpoint.state import Placed
from halftone.domain.rollout.phase import Phase
from tests.support.deployments import served_by, write
from tests.support.engine import NAME
from tests.unit.cli.conftest import PLAN

MINUTE = timedelta(minutes=1)


@pytest.fixture
def two(cli):
    """risk-2 serves; risk-1 was champion before it."""
    cli.endpoint = served_by("risk-1", "risk-2")
    return cli


def serving(cli):
    return cli.endpoint.state.serving


def test_traffic_is_split_and_shown(two):
    two("serving", NAME, "mode=guarded")
    ran = two("traffic", NAME, "2=90", "1=10", "--message", "change 1841")

    assert ran.code == 0
    assert "traffic        2=90, 1=10\n" in ran.out
    assert [(p.version, p.share) for p in serving(two).split] == [("1", 10.0)]
    record = two.endpoint.history[-1]
    assert (record.actor, record.reason) == (
        "arn:aws:iam::111111111111:user/ann",
        "change 1841",
    )
    assert two("traffic", NAME).out == ran.out
    assert two("traffic", NAME, "--json").json["traffic"] == {"2": 90.0, "1": 10.0}


def test_traffic_of_nothing_stops_the_endpoint(two):
    assert two("traffic", NAME, "champion=0").code == 0

    assert "stopped        its traffic is set to 0\n" in two("serving", NAME).out


def test_a_share_is_mirrored_and_no_longer(two):
    ran = two("mirror", NAME, "1=10")
    assert ran.code == 0
    assert "mirror         to=1, share=10\n" in ran.out
    assert (serving(two).mirror.version, serving(two).mirror.share) == ("1", 10.0)

    assert two("mirror", NAME, "1=0").code == 0
    assert serving(two).mirror is None
    assert two("mirror", NAME, "off").code == 0


def test_rules_come_out_as_they_go_in(two, tmp_path):
    assert two("serving", NAME, "mode=guarded").code == 0
    file = tmp_path / "rules.yaml"
    file.write_text("rules:\n  - match: {headers: {x-tier: [internal]}}\n    to: '1'\n")

    assert two("rules", NAME, "--set", str(file)).code == 0

    output = two("rules", NAME).out
    assert yaml.safe_load(output) == yaml.safe_load(file.read_text())
    assert two("rules", NAME, "--set", "-", typed=output).code == 0
    assert two("rules", NAME, "--json").json["rules"][0]["to"] == "1"
    assert two("rules", NAME, "--clear").code == 0
    assert serving(two).rules == ()


def test_capture_keeps_a_share_without_some_fields(two):
    assert two("capture", NAME, "10", "--redact", "ssn", "--redact", "a.b").code == 0
    assert (serving(two).capture.share, serving(two).capture.redact) == (10.0, ("ssn", "a.b"))

    assert "capture        share=0\n" in two("capture", NAME, "0").out
    assert serving(two).capture.share == 0.0


def test_every_field_can_be_set_at_once_or_none(two):
    ran = two("serving", NAME, "mode=guarded", "key={header: x-user}", "latency_budget=250ms")
    assert ran.code == 0
    assert "key            header=x-user\n" in ran.out

    before = two.endpoint.state
    assert two("serving", NAME, "label=risk", "mode=nonsense").code == 2
    assert two.endpoint.state == before


@pytest.mark.parametrize(("off", "on"), [("unpublish", "publish"), ("disable", "enable")])
def test_an_endpoint_is_switched_off_and_on(two, off, on):
    ran = two(off, NAME, "--message", "the contract ended")
    assert ran.code == 0
    assert "stopped        " in ran.out
    assert serving(two).stopped

    assert two(on, NAME).code == 0
    assert not serving(two).stopped


LAG = "sandboxes with the routes from before may still answer for up to 10 s"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["disable", NAME, "--message", "broken"], True),
        (["unpublish", NAME], True),
        (["traffic", NAME, "1=0"], True),
        (["serving", NAME, "access=private"], True),
        (["serving", NAME, "label=risk"], False),
        (["serving", NAME], False),
        (["enable", NAME], False),
    ],
)
def test_what_stops_answers_says_how_long_some_may_still_come(two, words, expected):
    ran = two(*words, "--json")
    assert (ran.code, LAG in ran.err) == (0, expected)
    assert LAG not in ran.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["traffic", NAME, "nonsense"], 2, "DEPLOYMENT=SHARE is 'nonsense'"),
        (["traffic", NAME, "1=x"], 2, "DEPLOYMENT=SHARE is 'x'"),
        (["traffic", NAME, "1=nan"], 2, "DEPLOYMENT=SHARE is 'nan'"),
        (["traffic", NAME, "1=60"], 2, "traffic is"),
        (["traffic", NAME, "nope=100"], 3, "there is no deployment 'nope'"),
        (["mirror", NAME, "2=10"], 4, "is live"),
        (["rules", NAME, "--set", "/no/such/file"], 2, "--set is '/no/such/file'"),
        (["rules", NAME, "--set", "-"], 2, "rules is missing"),
        (["rules", NAME, "--clear", "--set", "-"], 2, "--clear is True"),
        (["capture", NAME, "--redact", "a"], 2, "--redact is ['a'], expected a SHARE"),
        (["capture", NAME, "x"], 2, "SHARE is 'x', expected a percentage"),
        (["serving", NAME, "mode"], 2, "FIELD=VALUE is 'mode'"),
        (["serving", NAME, "key=["], 2, "key is '['"),
        (["serving", NAME, "mode=nonsense"], 2, "expected 'weighted' or 'guarded'"),
        (["serving", NAME, "nope=1"], 2, "nope is 1, expected no field of that name"),
        (
            ["clients", "add", NAME, "No Body"],
            2,
            "name is 'No Body', expected lower-case letters and digits",
        ),
        (["logs", "nope"], 3, "`halftone endpoints list` shows which there are"),
        (["traffic", "No!"], 2, "ENDPOINT is 'No!'"),
        (["traffic", "nope"], 3, "there is no endpoint 'nope'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(two, words, code, told):
    before = two.endpoint.state

    ran = two(*words)

    assert (ran.code, ran.out) == (code, ""), ran.err
    assert told in ran.err
    assert two.endpoint.state == before


def test_who_was_overtaken_changes_nothing(two):
    """Between reading and writing somebody else changes the label."""
    two("serving", NAME, "mode=guarded")
    send, done = two.send, []

    def overtaken(request):
        if request.method == "PUT" and not done:
            done.append(request)
            assert two("serving", NAME, "label=risk").code == 0
        return send(request)

    two.send = overtaken

    ran = two("traffic", NAME, "2=90", "1=10")

    assert (ran.code, ran.out) == (4, "")
    assert serving(two).split == ()


def test_during_a_rollout_its_challenger_is_the_plans_affair(cli):
    cli.endpoint.serve("risk-1")
    cli.endpoint.release("risk-2", plan=PLAN)
    cli.endpoint.tick_until(Phase.OBSERVING)
    write(cli.endpoint, placed=(Placed("1", "1"), Placed("2", "green")))

    assert cli("traffic", NAME, "1=50", "2=50").code == 4


@pytest.fixture
def private(two):
    assert two("serving", NAME, "access=private").code == 0
    return two


def test_a_token_is_shown_once_on_stdout_and_its_use_on_stderr(private):
    ran = private("clients", "add", NAME, "clinic", "--expires", "90d")

    token = ran.out.strip()
    assert ran.code == 0
    assert token.startswith("ht_")
    assert token not in ran.err
    assert "clinic may call fraud until " in ran.err
    assert token not in private("clients", "list", NAME).out
    [client] = private("clients", "list", NAME, "--json").json["items"]
    assert (client["name"], client["token_id"]) == ("clinic", token.split("_")[1])


def test_a_token_whose_answer_was_lost_is_not_shown_again(private):
    arguments = ("clients", "add", NAME, "clinic", "--request", "add-clinic-1")
    first, again = private(*arguments), private(*arguments)

    assert first.out.startswith("ht_")
    assert (again.code, again.out) == (0, "")
    assert "the token was shown when it was made" in again.err


def test_clients_are_revoked_by_name_or_by_the_id_of_a_token(private):
    private("clients", "add", NAME, "clinic")
    private("clients", "add", NAME, "clinic")
    ids = [c["token_id"] for c in private("clients", "list", NAME, "--json").json["items"]]

    assert private("clients", "revoke", NAME, ids[0]).code == 0
    [left] = private("clients", "list", NAME, "--json").json["items"]
    assert left["token_id"] == ids[1]
    ran = private("clients", "revoke", NAME, "clinic", "--message", "left")
    assert (ran.code, ran.out, ran.err) == (0, "", "fraud has no clients\n")
    assert private.endpoint.history[-1].reason == "left"


def test_a_client_that_is_not_there_is_not_found(private):
    assert private("clients", "revoke", NAME, "nobody").code == 3
    assert private("clients", "add", NAME, "No Body!").code == 2


def test_endpoints_are_listed_by_name_group_and_creator(two):
    rows = two("endpoints", "list").out.splitlines()
    assert rows[0].split()[:2] == ["endpoint", "status"]
    assert rows[1].startswith("fraud")
    assert "Deployed" in rows[1]

    assert (
        two("endpoints", "list", "--search", "fra", "--json").json["endpoints"][0]["name"] == NAME
    )
    for arguments in (("--search", "zzz"), ("--group", "risk"), ("--mine",)):
        ran = two("endpoints", "list", *arguments)
        assert (ran.code, ran.out, ran.err) == (0, "", "no endpoint is like that\n"), arguments


def test_two_deployments_without_shares_get_80_and_20(two):
    two("serving", NAME, "mode=guarded")
    assert "traffic        2=80, 1=20\n" in two("traffic", NAME, "champion", "1").out


@pytest.mark.parametrize("words", [("2", "1=20"), ("1",), ("2=50", "2=50"), ("2", "1", "champion")])
def test_shares_that_are_missing_or_come_twice_are_refused(two, words):
    two("serving", NAME, "mode=guarded")
    before = two.endpoint.state
    ran = two("traffic", NAME, *words)
    assert (ran.code, two.endpoint.state) == (2, before)
    assert "DEPLOYMENT=SHARE is" in ran.err


def test_rules_are_shown_in_words(two, tmp_path):
    two("serving", NAME, "mode=guarded")
    file = tmp_path / "rules.yaml"
    file.write_text(
        "rules:\n"
        "  - match: {headers: {x-tier: [internal, beta]}, query: {v: ['2']}}\n"
        "    to: '1'\n"
        "  - match: {addresses: [10.0.0.0/8]}\n"
        "    to: champion\n"
    )
    assert two("rules", NAME, "--set", str(file)).code == 0
    assert (
        "1 if header x-tier is internal or beta and query v is 2; champion if address is 10.0.0.0/8"
        in two("serving", NAME).out
    )


def test_a_throttle_is_set_shown_and_taken_back(two):
    view = two("endpoints", "set", NAME, "--throttle", "100/200")
    assert view.code == 0, view.err
    assert "rate=100.0, burst=200" in view.out
    assert two("endpoints", "set", NAME, "--throttle", "none", "--json").json["throttle"] is None
    for text in ("100", "a/b", "100/1.5", "/"):
        ran = two("endpoints", "set", NAME, "--throttle", text)
        assert (ran.code, "--throttle is" in ran.err) == (2, True)


def test_a_token_that_has_expired_is_marked(two):
    two("serving", NAME, "access=private")
    two("clients", "add", NAME, "clinic", "--expires", "1h")
    two("clients", "add", NAME, "ward")
    assert "(expired)" not in two("clients", "list", NAME).out
    two.endpoint.world.clock.pass_by(timedelta(hours=2))
    rows = {row.split()[0]: row for row in two("clients", "list", NAME).out.splitlines()[1:]}
    assert ("(expired)" in rows["clinic"], "(expired)" in rows["ward"]) == (True, False)


def test_pages_of_other_origins_are_let_in_and_shown(two):
    ran = two("serving", NAME, "cors={origins: [https://shop.example], headers: [x-user]}")

    assert ran.code == 0
    assert "https://shop.example" in two("serving", NAME).out
    cors = two("serving", NAME, "--json").json["cors"]
    assert cors == {"origins": ["https://shop.example"], "headers": ["x-user"], "max_age": "10m"}
    two("mirror", NAME, "1=10")
    assert two("serving", NAME, "cors=none", "mirror=none").code == 0
    assert (serving(two).cors, serving(two).mirror) == (None, None)
    ran = two("serving", NAME, "cors={origins: [shop.example]}")
    assert ran.code == 2
    assert "cors.origins[0] is 'shop.example', expected an origin" in ran.err
