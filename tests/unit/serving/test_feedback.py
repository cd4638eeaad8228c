"""Feedback: only on what this endpoint answered, each once, for whom and when it happened."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Unavailable
from halftone.domain.insight.capture import Row, read_line
from halftone.domain.rollout.signing import VALID, SigningKey, must_rotate, rotated
from halftone.domain.traffic.policy import Capture, KeySource, Mode, StickyKey, TrafficPolicy
from halftone.serving.routing.signed_ids import Signer
from tests.support.fleet import KEY, Fleet, doubles

FEEDBACK = "/endpoints/double/feedback"
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
WEIGHTED = Experiment("double-r1", "2", 1, Mode.WEIGHTED, share=50.0, since=5.0, began=BEGAN)
GUARDED = replace(WEIGHTED, mode=Mode.GUARDED, share=100.0)
MIRRORED = replace(WEIGHTED, share=0.0, since=0.0, mirror=100.0)
USER = StickyKey(KeySource.HEADER, "x-user")


def fleet(trial=None, runs=None, **serving):
    placed = (Placed("1", "1"), Placed("2", "2"), Placed("3", "green"))
    dispatch = RouteConfig("double", 1, "1", placed, TrafficPolicy(**serving), trial)
    return Fleet(dispatch, runs or {}).signing()


def name_of(stage, x=2.0, **more):
    answer = stage.ask_x(x, **more)
    assert answer.status == 200, answer
    return answer.headers["x-request-id"]


def judge(stage, named, to="1", **told):
    return stage.post({"request_id": named, **(told or {"reward": 0.25})}, path=FEEDBACK, to=to)


def judged(stage):
    """(version, cohort, bad, too late) of each feedback that was counted, in order."""
    return [
        (line["Version"], line.get("Cohort", ""), line["Bad"], "FeedbackLate" in line)
        for line in stage.metrics()
        if "Bad" in line
    ]


def test_feedback_by_label_needs_no_look_up():
    stage = fleet(label="label", capture=Capture(100.0))
    names = [name_of(stage), name_of(stage)]
    assert names[0].startswith("r-1.1.")
    for named, label in zip(names, ("low", "high"), strict=True):
        assert judge(stage, named, label=label).status == 202
    assert judged(stage) == [("1", "", 0, False), ("1", "", 1, False)]
    assert [line["label"] for line in stage.told("feedback")] == ["low", "high"]
    assert [line["request"] for line in stage.told("feedback")] == ["r-1", "r-2"]
    assert all(isinstance(read_line(json.dumps(x)), Row) for x in stage.told("feedback"))


def test_feedback_by_reward_becomes_a_metric_of_its_version():
    stage = fleet()
    assert judge(stage, name_of(stage)).status == 202
    assert judged(stage) == [("1", "", 1, False)]
    assert stage.metrics()[-1]["Reward"] == 0.25
    assert stage.told("feedback") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "request_id"),
        ({"request_id": "r-1", "reward": 1}, "request_id"),
        ({"request_id": "r-1.1", "reward": 1}, "request_id"),
        ({"request_id": "r-1.1.00000000", "label": "low"}, "request_id"),
        ({"request_id": ..., "reward": None}, "reward"),
        ({"request_id": ..., "reward": 2}, "reward"),
        ({"request_id": ..., "reward": True}, "reward"),
        ({"request_id": ..., "reward": 10**309}, "reward"),
        ({"request_id": ..., "label": "low"}, "label"),
        ({"request_id": ..., "label": {}}, "label"),
        ({"request_id": ..., "reward": 1, "why": "x"}, "why"),
    ],
)
def test_feedback_that_cant_be_taken_is_named_and_not_counted(body, field):
    stage = fleet()
    named = name_of(stage)
    if isinstance(body, dict) and body.get("request_id") is ...:
        body = {**body, "request_id": named}
    answer = stage.post(body, path=FEEDBACK)
    assert (answer.status, answer.body["field"]) == (422, field)
    assert judged(stage) == []
    assert judge(stage, named).status == 202, "and it can still be told well"


class TestForged:
    """What this endpoint did not sign, whoever says it."""

    @given(st.data())
    def test_no_character_of_an_id_can_be_changed(self, data):
        named = "r-1.1.00ff00ff.5ec2-6a000000-t-0123abcd-1-0123456789abcdef"
        signer = Signer(RouteConfig("double", 1, signing=(KEY,)), lambda: 0x6A000000)
        whole = signer.sign("r-1.1.00ff00ff", "t-0123abcd-1-0123456789abcdef")
        assert whole.startswith(f"{named}.")
        assert signer.read(whole) is not None
        at = data.draw(st.integers(0, len(whole) - 1))
        other = data.draw(st.text(max_size=2).filter(lambda c: c != whole[at]))
        assert signer.read(whole[:at] + other + whole[at + 1 :]) is None

    def test_another_endpoint_s_id_with_the_same_key(self):
        theirs = Signer(RouteConfig("other", 1, signing=(KEY,))).sign("r-1.1", "n")
        assert judge(fleet(), theirs).status == 422

    def test_an_id_of_a_key_that_is_gone_and_one_that_is_too_old(self):
        stage = fleet()
        named = name_of(stage)
        older = Signer(stage.dispatch, lambda: BEGAN.timestamp() - VALID.total_seconds())
        assert judge(stage, older.sign("r-9.1", "n")).status == 422
        stage.change(replace(stage.dispatch, signing=(replace(KEY, secret="ab" * 32),)))
        assert judge(stage, named).status == 422
        assert judged(stage) == []

    def test_an_earlier_key_s_ids_are_taken_while_it_is_kept(self):
        stage = fleet()
        named = name_of(stage)
        newer = SigningKey("0a0a", "0a" * 32, KEY.since)
        stage.change(replace(stage.dispatch, signing=(newer, KEY)))
        assert ".0a0a-" in name_of(stage)
        assert judge(stage, named).status == 202

    def test_without_a_key_nothing_is_signed_and_no_feedback_taken(self):
        stage = Fleet(RouteConfig("double", 1, "1"))
        assert name_of(stage) == "r-1.1"
        assert judge(stage, "r-1.1").status == 422

    def test_the_secret_is_in_no_answer_and_no_line(self):
        stage = fleet(WEIGHTED, label="label", capture=Capture(100.0))
        judge(stage, name_of(stage), label="high")
        assert KEY.secret not in json.dumps([*stage.log, repr(stage.dispatch), name_of(stage)])

    def test_an_answer_that_is_none_has_no_id_for_feedback(self):
        stage = fleet()
        refused = stage.post({"instances": [{"X": 1}]})
        assert judge(stage, refused.headers["x-request-id"]).status == 422


class TestOnce:
    """Each request is judged once, by whichever sandbox, and so is each key of a stage."""

    def test_what_is_said_again_counts_nothing_more(self):
        stage = fleet(WEIGHTED, capture=Capture(100.0))
        named = name_of(stage)
        for reward in (0, 1, 0):
            assert judge(stage, named, reward=reward).status == 202
        assert judge(stage, named, to="2", reward=1).status == 202
        assert judged(stage) == [("1", "feedback-1", 1, False)]
        assert len(stage.told("feedback")) == 1

    def test_a_ledger_that_is_away_is_asked_again_later(self):
        stage = fleet()
        named, first = name_of(stage), stage.ledger.first

        def away(name, by):
            raise Unavailable("DynamoDB: ThrottlingException")

        stage.ledger.first = away
        answer = judge(stage, named)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        stage.ledger.first = first
        assert judge(stage, named).status == 202
        assert len(judged(stage)) == 1


class TestWhoseEvidence:
    """That of the stage which drew the request, and of nobody else."""

    def test_weighted_the_alias_drew_it(self):
        stage = fleet(WEIGHTED)
        for to in ("1", "2"):
            judge(stage, name_of(stage, to=to))
        assert judged(stage) == [("1", "feedback-1", 1, False), ("2", "feedback-1", 1, False)]

    def test_guarded_the_front_drew_it(self):
        stage = fleet(GUARDED, {"2": doubles}, mode=Mode.GUARDED)
        judge(stage, name_of(stage))
        stage.change(replace(stage.dispatch, trial=replace(GUARDED, share=1e-9)))
        judge(stage, name_of(stage))
        assert judged(stage) == [("2", "feedback-1", 1, False), ("1", "feedback-1", 1, False)]

    def test_who_takes_no_part_is_not_in_it(self):
        trial = replace(GUARDED, share=1e-9)
        stage = fleet(trial, mode=Mode.GUARDED)
        judge(stage, name_of(stage, to="2"))  # the alias is on its way to 100 %
        assert judged(stage) == [("2", "", 1, False)]

    def test_nor_is_what_the_champion_answered_instead(self):
        def fails(_):
            raise ValueError

        stage = fleet(GUARDED, {"2": fails}, mode=Mode.GUARDED)
        judge(stage, name_of(stage))
        assert judged(stage) == [("1", "", 1, False)]

    @pytest.mark.parametrize("version", ["1", "2"])
    def test_nor_is_what_was_pinned(self, version):
        stage = fleet(WEIGHTED)
        judge(stage, name_of(stage, x_halftone_deployment=version))
        assert judged(stage) == [(version, "pinned", 1, False)]

    @pytest.mark.parametrize(
        "now",
        [
            None,
            replace(WEIGHTED, stage=2),
            replace(WEIGHTED, stage=0),
            replace(WEIGHTED, rollout="double-r2"),
        ],
        ids=["over", "next", "before", "another rollout"],
    )
    def test_what_comes_after_the_stage_is_on_record_alone(self, now):
        stage = fleet(WEIGHTED, capture=Capture(100.0))
        named = name_of(stage, to="2")
        stage.change(replace(stage.dispatch, trial=now))
        assert judge(stage, named).status == 202
        assert judged(stage) == [("2", "", 1, True)]
        assert len(stage.told("feedback")) == 1

    @pytest.mark.parametrize(("seconds", "cohort"), [(31, "feedback-1"), (29, "")])
    def test_what_was_drawn_while_the_share_spread_is_none_either(self, seconds, cohort):
        began = datetime.now(UTC) - timedelta(seconds=seconds)
        stage = fleet(replace(WEIGHTED, began=began))
        judge(stage, name_of(stage))
        assert judged(stage) == [("1", cohort, 1, not cohort)]

    def test_where_a_key_draws_the_first_word_on_each_key_counts(self):
        trial = replace(GUARDED, sticky=True, since=0.0)
        stage = fleet(trial, {"2": doubles}, mode=Mode.GUARDED, key=USER)
        for user, reward in (("ann", 1), ("ann", 0), ("ben", 0)):
            judge(stage, name_of(stage, x_user=user), reward=reward)
        judge(stage, name_of(stage), reward=0)  # without a key: drawn by itself
        assert judged(stage) == [
            ("2", "feedback-1", 0, False),
            ("2", "", 1, False),
            ("2", "feedback-1", 1, False),
            ("2", "", 1, False),
        ]

    def test_nor_do_keys_that_an_earlier_stage_drew(self):
        trial = replace(GUARDED, sticky=True, since=100.0)
        stage = fleet(trial, {"2": doubles}, mode=Mode.GUARDED, key=USER)
        judge(stage, name_of(stage, x_user="ann"))
        assert judged(stage) == [("2", "", 1, False)]


class TestUnseen:
    """At a mirror step the truth about an answer is the truth about what was scored beside it."""

    def others(self, instances):
        return [{"y": 0.0, "label": "high"} for _ in instances]

    @pytest.mark.parametrize(("label", "bad"), [("low", (0, 1)), ("high", (1, 0)), ("no", (1, 1))])
    def test_a_label_judges_both(self, label, bad):
        stage = fleet(MIRRORED, {"2": self.others}, label="label")
        named = name_of(stage)
        for _ in range(2):
            assert judge(stage, named, label=label).status == 202
        assert judged(stage) == [
            ("1", "feedback-1", bad[0], False), ("2", "feedback-1", bad[1], False),
        ]  # fmt: skip

    def test_a_reward_judges_the_answer_that_was_given_and_no_other(self):
        stage = fleet(MIRRORED, {"2": self.others}, label="label")
        judge(stage, name_of(stage), reward=1)
        assert judged(stage) == [("1", "feedback-1", 0, False)]

    def test_a_request_that_was_not_scored_judges_the_champion(self):
        stage = fleet(replace(MIRRORED, mirror=1e-9), {"2": self.others}, label="label")
        judge(stage, name_of(stage), label="low")
        assert judged(stage) == [("1", "feedback-1", 0, False)]


def test_keys_are_followed_by_new_ones_and_kept_while_ids_last():
    keys, now = (), BEGAN
    for day in range(400):
        now = BEGAN + timedelta(days=day)
        if must_rotate(keys, now):
            keys = rotated(keys, f"{day:04x}".ljust(64, "0"), now)
        signed = [k for k in keys if k.since <= now]
        assert keys == tuple(sorted(signed, key=lambda k: k.since, reverse=True))
        assert now - keys[0].since < timedelta(days=30)
    assert len(keys) == 4
    assert now - keys[-1].since >= VALID
