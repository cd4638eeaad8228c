"""A rollback that is sent again keeps to what it was first asked against."""

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.rollouts.rollback import fence
from tests.support.engine import ALL_AT_ONCE, NAME

ROLLBACK = f"/v1/endpoints/{NAME}/rollback"
KEY = "build-1841"


@pytest.fixture
def again(api, endpoint):
    """Sends a rollback whose first try dies before it changes anything; answers its repetition."""

    def first_try(query="", seen=""):
        claims, claim = endpoint.world.claims, endpoint.world.claims.claim
        claims.claim = _out
        assert api.post(f"{ROLLBACK}{query}", key=KEY, seen=seen).status == 503
        claims.claim = claim
        return lambda: api.post(f"{ROLLBACK}{query}", key=KEY, seen=seen)

    return first_try


@pytest.fixture
def grown(api, endpoint, rollout):
    """Versions 1 and 3 have served, nothing is under way; 3 serves."""
    api.post(f"{rollout}/abort")
    endpoint.serve("third")
    return endpoint


def test_if_nothing_has_happened_since_it_is_carried_out(again, endpoint):
    repeat = again()
    assert repeat().status == 200
    assert (endpoint.phase, endpoint.alias) == (Phase.ROLLED_BACK, Routing("1"))


def test_a_rollout_that_was_rolled_back_since_is_all_there_is(again, grown):
    grown.release("fourth")
    grown.tick_until(Phase.OBSERVING)
    repeat = again()
    grown.trip()
    grown.tick_until(Phase.ROLLED_BACK)
    assert repeat().json["champion"]["version"] == "3"
    assert (grown.champion, grown.alias) == ("3", Routing("3"))


def test_a_rollout_that_was_promoted_since_is_taken_back(again, grown):
    grown.release("fourth", plan=ALL_AT_ONCE)
    repeat = again()
    grown.tick_until(Phase.PROMOTED)
    assert grown.champion == "4"
    assert repeat().json["champion"]["version"] == "3"
    assert grown.alias == Routing("3")


@pytest.mark.parametrize("query", ["", "?v=1"])
def test_after_somebody_else_s_whole_rollout_it_is_refused(again, grown, query):
    grown.release("fourth")
    grown.tick_until(Phase.OBSERVING)
    repeat = again(query)
    grown.trip()
    grown.tick_until(Phase.ROLLED_BACK)
    grown.serve("fifth")
    before = grown.state
    message = repeat()
    assert message.status == 409
    assert "it was at version 3 and rollout" in message.problem["detail"]
    assert "is at version 5 and no rollout under way" in message.problem["detail"]
    assert grown.state == before
    assert repeat().text == message.text


@pytest.mark.parametrize("serves", ["fourth", None])
def test_what_began_since_is_not_what_was_meant(again, grown, serves):
    repeat = again(seen="3")
    if serves:
        grown.serve(serves)
    else:
        grown.release("fourth")
        grown.tick_until(Phase.OBSERVING)
    before = grown.state
    assert repeat().status == 409
    assert grown.state == before


def test_a_try_that_died_between_two_steps_is_finished(api, grown):
    """The rollout was ended on its behalf, and the version that was named serves not yet."""
    grown.release("fourth")
    grown.tick_until(Phase.OBSERVING)
    world = grown.world
    settle, commit = world.claims.settle, world.store.commit

    def dies_after_the_fence(change):
        commit(change)
        if change.record.action == "rolled-back":
            world.store.commit = _out

    world.store.commit = dies_after_the_fence
    assert api.post(f"{ROLLBACK}?v=1", key=KEY).status == 503
    world.store.commit, world.claims.settle = commit, settle
    assert grown.champion == "3"
    assert api.post(f"{ROLLBACK}?v=1", key=KEY).json["champion"]["version"] == "1"
    assert grown.alias == Routing("1")


def test_a_try_that_died_behind_its_fence_is_finished(api, again, endpoint):
    repeat = again()
    state = endpoint.state
    fence(endpoint.ports, state, state.rollout, author=Author("ann", "clients complain"))
    (request,) = endpoint.world.claims.seen
    endpoint.world.store.changed.add(request)
    assert repeat().status == 200
    assert (endpoint.phase, endpoint.alias) == (Phase.ROLLED_BACK, Routing("1"))


def test_what_was_returned_to_and_left_is_not_returned_to_again(api, grown):
    """Only the answer was lost; that somebody went on from there changes nothing."""
    claims = grown.world.claims
    settle, claims.settle = claims.settle, _out
    assert api.post(ROLLBACK, key=KEY, seen="3").json["champion"]["version"] == "1"
    claims.settle = settle
    claims.kept.clear()
    grown.serve("m4")
    claims.claim, claim = _taken_over(claims), claims.claim
    assert api.post(ROLLBACK, key=KEY, seen="3").json["champion"]["version"] == "4"
    claims.claim = claim
    assert grown.alias == Routing("4")


@pytest.mark.parametrize("to", ["", "?v=1"])
def test_said_by_three_at_once_it_goes_back_once(api, grown, to):
    grown.serve("fourth")
    first, *others = [api.post(f"{ROLLBACK}{to}", seen="4") for _ in range(3)]
    assert first.status == 200
    assert {other.json["champion"]["version"] for other in others} == {"1" if to else "3"}
    assert grown.champion == ("1" if to else "3")
    assert grown.actions.count("return") == 1


def test_what_was_seen_must_be_said_where_nothing_else_says_it(api, grown):
    before = grown.state
    reply = api.post(ROLLBACK)
    assert (reply.status, "Halftone-Seen ('3' by now)" in reply.problem["detail"]) == (428, True)
    assert grown.state == before
    assert api.post(ROLLBACK, seen="3 x_y").status == 400


def _taken_over(claims):
    """As if the try before had died: the claim is there, its answer is not."""
    claim = claims.claim

    def claimed(wanted, now):
        claim(wanted, now)
        claims.settle(wanted)
        return claim(wanted, now)

    return claimed


def _out(*_):
    raise Unavailable("the table is out")
