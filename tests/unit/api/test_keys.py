"""Idempotency-Key: a POST is carried out once, however often it comes, and whatever dies."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import (
    ConcurrentWrite,
    IdempotencyKeyReused,
    RequestInProgress,
    Unavailable,
)
from halftone.domain.rollout.phase import Phase
from halftone.service.idempotency import LEASE, StoredResponse, once
from halftone.service.rollouts import operate
from tests.support.control import BEN
from tests.support.engine import NAME, Endpoint

KEY = "0f8c-one-request"


def test_a_replay_gives_the_first_answer_again(api, endpoint, rollout):
    first = api.post(f"{rollout}/pause", {"message": "look"}, key=KEY)
    again = api.post(f"{rollout}/pause", {"message": "look"}, key=KEY)
    assert (again.status, again.text, again.etag) == (first.status, first.text, first.etag)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert endpoint.actions.count("paused") == 1


def test_a_late_replay_of_pause_does_not_pause_again(api, endpoint, rollout):
    api.post(f"{rollout}/pause", key=KEY)
    api.post(f"{rollout}/resume")
    endpoint.world.clock.pass_by(timedelta(days=400))
    replayed = api.post(f"{rollout}/pause", key=KEY)
    assert replayed.json["phase"] == "paused"  # as it was answered then
    assert endpoint.phase is Phase.OBSERVING


def test_the_same_words_with_a_new_key_are_meant_anew(api, endpoint, rollout):
    api.post(f"{rollout}/pause", key=KEY)
    api.post(f"{rollout}/resume")
    api.post(f"{rollout}/pause", key="another-key")
    assert endpoint.phase is Phase.PAUSED


@pytest.mark.parametrize(
    ("path", "body"),
    [("pause", {"message": "another"}), ("resume", {"message": "look"}), ("resume", None)],
)
def test_a_key_stands_for_one_request_alone(api, endpoint, rollout, path, body):
    api.post(f"{rollout}/pause", {"message": "look"}, key=KEY)
    reply = api.post(f"{rollout}/{path}", body, key=KEY)
    assert (reply.status, reply.problem["type"]) == (422, "urn:halftone:problem:key-reused")
    assert endpoint.phase is Phase.PAUSED


def test_another_s_key_is_another_request(api, endpoint, rollout):
    api.post(f"{rollout}/pause", key=KEY)
    api.post(f"{rollout}/resume")
    api.post(f"{rollout}/pause", key=KEY, by=BEN)
    assert endpoint.phase is Phase.PAUSED


def test_a_refusal_is_an_answer_too(api, endpoint, rollout):
    """Else a word that did not fit then would act when nobody expects it any more."""
    refused = api.post(f"{rollout}/approve", {"stage": 1}, key=KEY, by=BEN)
    api.post(f"{rollout}/pause")
    again = api.post(f"{rollout}/approve", {"stage": 1}, key=KEY, by=BEN)
    assert (again.status, again.text) == (409, refused.text)
    assert again.problem


def test_what_can_t_be_read_claims_no_key(api, endpoint, rollout):
    assert api.post(f"{rollout}/pause", {"message": 7}, key=KEY).status == 400
    assert api.post(f"{rollout}/pause", {"message": "7"}, key=KEY).status == 200


@pytest.mark.parametrize("key", ["short", "with space", "x" * 129, "später-als-acht"])
def test_a_key_that_can_t_be_taken_is_named(api, rollout, key):
    reply = api.post(f"{rollout}/pause", key=key)
    assert (reply.status, reply.problem["field"]) == (400, "idempotency-key")


def test_a_post_without_a_key_changes_nothing(api, endpoint, rollout):
    before = endpoint.state
    reply = api.ask("POST", f"{rollout}/pause", without=("idempotency-key",))
    assert (reply.status, reply.problem["field"]) == (400, "idempotency-key")
    assert endpoint.state == before


def test_two_at_once_one_wins_and_the_other_is_told_to_wait(api, endpoint, rollout):
    """The second comes while the first is being carried out: in the middle of its write."""
    met, post = [], partial(api.post, f"{rollout}/pause")
    commit = endpoint.world.store.commit

    def meanwhile(change):
        with ThreadPoolExecutor(1) as elsewhere:
            met.append(elsewhere.submit(_in_a_loop, lambda: post(key=KEY)).result())
        commit(change)

    endpoint.world.store.commit = meanwhile
    first = api.post(f"{rollout}/pause", key=KEY)
    assert (first.status, first.json["phase"]) == (200, "paused")
    (second,) = met
    assert (second.status, second.headers["retry-after"]) == (409, "1")
    assert second.problem["type"] == "urn:halftone:problem:in-progress"
    assert endpoint.actions.count("paused") == 1


def test_a_service_that_is_out_leaves_the_key_free(api, endpoint, rollout):
    commit = endpoint.world.store.commit
    endpoint.world.store.commit = _out
    reply = api.post(f"{rollout}/pause", key=KEY)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    endpoint.world.store.commit = commit
    assert api.post(f"{rollout}/pause", key=KEY).json["phase"] == "paused"


def test_a_release_is_started_once(api, endpoint, rollout):
    api.post(f"{rollout}/abort")
    body = {"digest": endpoint.offer("third"), "bucket": "assets", "key": "third.zip"}
    first = api.post(f"/v1/endpoints/{NAME}/releases", body, key=KEY)
    again = api.post(f"/v1/endpoints/{NAME}/releases", body, key=KEY)
    assert (first.status, again.status) == (202, 202)
    assert first.json["rollout"] == again.json["rollout"]
    assert endpoint.actions.count("release") == 3


def test_leave_to_upload_is_not_kept(api):
    first = api.post(f"/v1/endpoints/{NAME}/uploads", {"digest": "0" * 64}, key=KEY)
    again = api.post(f"/v1/endpoints/{NAME}/uploads", {"digest": "0" * 64}, key=KEY)
    assert first.json["url"]
    assert again.json == {**first.json, "url": None}


# What is found where a try died ----------------------------------------------------------------


class Died(BaseException):
    """The process is gone: nothing after it happens."""


@pytest.fixture
def world():
    return Endpoint().world


@pytest.fixture
def ask(world):
    """``once`` for one request; each call is a try of its own."""
    tries = iter(range(100))

    def asked(do, *, lost=None, fingerprint="same"):
        ports = world.ports()
        return once(ports, "r1", fingerprint, f"try-{next(tries)}", do, lost=lost)

    return asked


def _died_silently(world):
    """A try whose claim stays, because it did not live to give it back."""
    settle = world.claims.settle
    world.claims.settle = lambda _: None
    return settle


def _dies(_parts):
    raise Died


def test_a_try_that_died_is_waited_for_and_then_repeated(world, ask):
    settle = _died_silently(world)
    with pytest.raises(Died):
        ask(_dies)
    world.claims.settle = settle
    with pytest.raises(RequestInProgress):
        ask(lambda _: "done")
    world.clock.pass_by(LEASE)
    assert ask(lambda _: "done") == StoredResponse("done")


def test_a_try_that_died_after_its_change_is_not_repeated(world, ask):
    settle = _died_silently(world)

    def changes_and_dies(ports):
        world.store.changed.add(ports.request)
        raise Died

    with pytest.raises(Died):
        ask(changes_and_dies)
    world.claims.settle = settle
    world.clock.pass_by(LEASE)
    assert ask(_dies, lost=lambda _: "as it is now") == StoredResponse("as it is now")
    assert ask(_dies) == StoredResponse("as it is now", replayed=True)


def test_what_is_idempotent_by_itself_is_simply_done_again(world, ask):
    world.store.changed.add("r1")
    with pytest.raises(Unavailable):
        ask(_raises(Unavailable("out")))
    assert ask(lambda _: "done") == StoredResponse("done")


def test_a_change_leaves_its_mark_in_the_same_write(endpoint):
    ports = replace(endpoint.ports, request="r1")
    assert not endpoint.world.claims.has_changed("r1")
    operate.pause(ports, NAME, author=Author("ben", "look"))
    assert endpoint.world.claims.has_changed("r1")


def test_another_request_is_refused_even_after_a_death(world, ask):
    with pytest.raises(ConcurrentWrite):
        ask(_raises(ConcurrentWrite("raced")))
    with pytest.raises(IdempotencyKeyReused):
        ask(lambda _: "done", fingerprint="another")


def test_an_answer_that_can_t_be_kept_is_given_all_the_same(world, ask):
    world.claims.settle = _out
    assert ask(lambda _: "done") == StoredResponse("done")


def test_a_slow_try_does_not_overwrite_the_answer_of_its_heir(world, ask):
    def slow(_parts):
        world.clock.pass_by(LEASE)
        assert ask(lambda _: "first") == StoredResponse("first")
        return "second"

    assert ask(slow) == StoredResponse("second")
    assert ask(_dies) == StoredResponse("first", replayed=True)


def _in_a_loop(act):
    """``act`` in a thread, which needs an event loop of its own."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return act()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _raises(error):
    def act(_parts):
        raise error

    return act


def _out(_):
    raise Unavailable("the table is out")


ANOTHER = "the idempotency key stands for another request: give this one its own"
RUNNING = "the same request is being carried out: ask again in a second"


def test_what_stands_in_the_way_of_a_try_is_told(world, ask):
    settle = _died_silently(world)
    with pytest.raises(Died):
        ask(_dies)
    world.claims.settle = settle
    with pytest.raises(RequestInProgress) as running:
        ask(lambda _: "done")
    assert str(running.value) == RUNNING
    with pytest.raises(IdempotencyKeyReused) as reused:
        ask(lambda _: "done", fingerprint="another")
    assert str(reused.value) == ANOTHER


def test_a_key_that_can_not_be_settled_changes_no_outcome(world, ask):
    world.claims.settle = _overtaken
    with pytest.raises(Died):
        ask(_dies)
    world.clock.pass_by(LEASE)
    assert ask(lambda _: "done") == StoredResponse("done")


def _overtaken(_):
    raise ConcurrentWrite(NAME)
