"""The hash split, for any weights, keys and salts."""

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.traffic.assignment import fingerprint, position, salted
from halftone.domain.traffic.policy import (
    KeySource,
    Match,
    Mode,
    Portion,
    Rule,
    StickyKey,
    TrafficPolicy,
)
from halftone.serving.routing.matching import RequestAttributes
from halftone.serving.routing.router import Router

N = 2000
MISS = 1e-7
"""How probable it is that one count of a fair split is outside of its bounds."""

shares = st.floats(0, 100).map(lambda share: round(share, 1))
texts = st.text(st.characters(codec="utf-8"), max_size=20)
CLIENTS = [f"user-{i}" for i in range(N)]


def within(count, share):
    low, high = binom.interval(1 - MISS, N, share / 100)
    return low <= count <= high


@settings(max_examples=25)
@given(ports=st.lists(st.integers(0, 40), min_size=1, max_size=6), salt=texts)
def test_a_split_gives_each_version_its_share_for_any_weights(ports, salt):
    total = max(100, sum(ports))
    portions = tuple(Portion(str(i + 2), 100 * part / total) for i, part in enumerate(ports))
    placed = tuple(Placed(portion.version, portion.version) for portion in portions)
    serving = TrafficPolicy(split=portions, salt=salt, key=StickyKey(KeySource.CLIENT))
    router = Router(RouteConfig("e", 1, "1", placed, serving), "1")
    counts = {}
    for client in CLIENTS:
        version = router.assign(RequestAttributes("r", client=client)).version
        counts[version] = counts.get(version, 0) + 1
    for portion in portions:
        assert within(counts.get(portion.version, 0), portion.share), (portion, counts)
    assert within(counts.get("1", 0), max(0, 100 - sum(p.share for p in portions)))


@settings(max_examples=25)
@given(few=shares, many=shares, salt=texts)
def test_a_share_that_grows_keeps_all_that_it_had(few, many, salt):
    few, many = sorted((few, many))

    def taken(share):
        serving = TrafficPolicy(salt=salt, key=StickyKey(KeySource.CLIENT))
        trial = Experiment("r", "2", 0, Mode.GUARDED, share=share)
        router = Router(RouteConfig("e", 1, "1", serving=serving, trial=trial), "1")
        return {
            c for c in CLIENTS if router.assign(RequestAttributes("r", client=c)).version == "2"
        }

    small, large = taken(few), taken(many)
    assert small <= large
    assert within(len(small), few)
    assert within(len(large), many)


@settings(max_examples=25)
@given(one=texts, other=texts, share=st.floats(10, 90), second=st.floats(10, 90))
def test_two_salts_are_independent(one, other, share, second):
    if one == other:
        return
    both = sum(
        position(salted(one), key) < share and position(salted(other), key) < second
        for key in CLIENTS
    )
    assert within(both, share * second / 100)


def test_the_purposes_of_one_salt_are_independent():
    both = sum(
        position(salted("e"), key) < 50 and position(salted("e", "split"), key) < 50
        for key in CLIENTS
    )
    assert within(both, 25)


@given(texts | st.text())
def test_any_text_has_a_position_and_a_fingerprint(key):
    assert 0 <= position(salted("e"), key) < 100
    assert position(salted("e"), key) == position(salted("e"), key)
    assert len(fingerprint(salted("e"), key)) == 16


conditions = st.builds(
    Match,
    headers=st.dictionaries(
        st.sampled_from(["a", "b"]), st.tuples(st.sampled_from("xyz")), max_size=2
    ),
    clients=st.just(()) | st.tuples(st.sampled_from(["shop", "bank"])),
)


@given(
    rules=st.lists(st.tuples(conditions, st.integers(2, 6).map(str)), max_size=5),
    headers=st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from("xyz")),
    client=st.sampled_from([None, "shop", "bank"]),
)
def test_the_first_rule_that_matches_decides(rules, headers, client):
    placed = tuple(Placed(str(version), str(version)) for version in range(2, 7))
    serving = TrafficPolicy(rules=tuple(Rule(match, version) for match, version in rules))
    arm = Router(RouteConfig("e", 1, "1", placed, serving), "1").assign(
        RequestAttributes("r", headers=headers, client=client)
    )

    def fits(match):
        return all(headers.get(name) in values for name, values in match.headers.items()) and (
            not match.clients or client in match.clients
        )

    expected = next((version for match, version in rules if fits(match)), "1")
    assert arm.version == expected
