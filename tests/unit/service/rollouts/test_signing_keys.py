"""The keys of request ids: made with the first change, renewed by ticks, told to model servers."""

from dataclasses import replace
from datetime import timedelta

from halftone.domain.rollout.signing import ROTATED
from tests.support.engine import NAME


def test_an_endpoint_has_a_key_from_its_first_record_on(endpoint):
    (key,) = endpoint.state.signing
    assert endpoint.dispatch.signing == (key,)
    assert len(bytes.fromhex(key.secret)) == 32
    assert endpoint.ports.new_secret() != endpoint.ports.new_secret()


def test_one_that_nobody_changes_has_a_new_key_after_a_month(endpoint):
    (first,) = endpoint.state.signing
    for _ in range(2):
        endpoint.world.clock.pass_by(ROTATED - timedelta(seconds=1))
        before = endpoint.actions
        endpoint.tick()
        assert endpoint.actions == before
        endpoint.world.clock.pass_by(timedelta(seconds=1))
        for _ in range(2):
            endpoint.tick()
        assert endpoint.actions == [*before, "key-renewed"]
    assert len(endpoint.state.signing) == 3
    assert endpoint.state.signing[-1] == first


def test_a_change_brings_a_key_that_is_due_along(watched):
    watched.world.clock.pass_by(ROTATED)
    watched.trip()
    watched.tick()
    assert len(watched.state.signing) == 2
    assert "key-renewed" not in watched.actions


def test_an_endpoint_of_an_earlier_release_gets_one_by_a_tick(endpoint):
    endpoint.world.store.states[NAME] = replace(endpoint.state, signing=())
    endpoint.tick()
    assert len(endpoint.state.signing) == 1


def test_no_record_holds_a_secret(endpoint):
    message = repr([endpoint.history, endpoint.state, endpoint.dispatch])
    assert not any(key.secret in message for key in endpoint.state.signing)
