"""Groups from the command line: made, changed, shown, verified; and who the caller is."""

import pytest

ANN = "arn:aws:iam::111111111111:user/ann"
BOB = "arn:aws:iam::111111111111:role/bob"


@pytest.fixture
def risk(cli):
    """A stage where ann has made the group risk, which she administers."""
    assert cli("groups", "add", "risk", ANN, "admin", "--description", "Card fraud").code == 0
    return cli


def members(cli):
    return cli("groups", "show", "risk", "--json").json["members"]


def test_the_first_member_makes_the_group(risk):
    assert members(risk) == {ANN: ["admin"]}
    listed = risk("groups", "list")
    assert listed.out.splitlines()[1].split()[:3] == ["risk", "1", "1"]
    assert "Card fraud" in listed.out


def test_roles_are_replaced_and_other_members_stay(risk):
    risk("groups", "add", "risk", BOB, "viewer")
    ran = risk("groups", "add", "risk", BOB, "releaser", "approver")
    assert ran.code == 0, ran.err
    assert members(risk) == {ANN: ["admin"], BOB: ["approver", "releaser"]}
    assert risk("groups", "show", "risk").out.splitlines()[1] == "description  Card fraud"


def test_a_quota_is_set_by_limit_and_shown_with_use(risk):
    ran = risk("groups", "quota", "risk", "--endpoints", "5", "--requests", "0.5", "-m", "agreed")
    assert ran.code == 0, ran.err
    assert "endpoints         0 of 5" in ran.out
    stored = risk("groups", "quota", "risk", "--concurrency", "20", "--requests", "none", "--json")
    assert stored.json["quota"] == {"endpoints": 5, "concurrency": 20, "requests_a_second": None}
    assert risk("groups", "quota", "risk", "--json").json == stored.json
    # Another change leaves it alone.
    assert (
        risk("groups", "add", "risk", BOB, "viewer", "--json").json["quota"] == stored.json["quota"]
    )


@pytest.mark.parametrize("text", ["-1", "x", "nan", "1.5", "1e9"])
def test_a_limit_that_is_none_is_refused(risk, text):
    ran = risk("groups", "quota", "risk", "--endpoints", text)
    assert (ran.code, f"--endpoints is '{text}'" in ran.err) == (2, True)


def test_a_member_is_taken_out_by_its_name(risk):
    risk("groups", "add", "risk", BOB, "viewer")
    assert risk("groups", "remove", "risk", BOB, "--yes", "-m", "moved").code == 0
    assert members(risk) == {ANN: ["admin"]}
    again = risk("groups", "remove", "risk", BOB, "--yes")
    assert (again.code, ANN in again.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("groups", "show", "nope"), 3, "`halftone groups list` shows which there are"),
        (("groups", "verify", "nope"), 3, "`halftone groups list` shows which there are"),
        (("groups", "add", "risk", BOB, "owner"), 2, "ROLE is 'owner', expected one of viewer"),
        (("groups", "add", "risk", "bob", "viewer"), 2, "bob"),
        (("groups", "show", "No!"), 2, "GROUP is 'No!'"),
    ],
)
def test_what_is_wrong_is_named(risk, words, code, error):
    ran = risk(*words)
    assert (ran.code, error in ran.err) == (code, True), ran.err


def test_the_chain_of_a_group_is_verified(risk):
    assert risk("groups", "verify", "risk").out.startswith("risk: 1 records verify, ending in ")


def test_the_caller_is_told_with_its_roles(risk):
    lines = risk("me").out.splitlines()
    assert lines[0].split() == ["arn", ANN]
    assert lines[-1].split() == ["risk", "admin"]
