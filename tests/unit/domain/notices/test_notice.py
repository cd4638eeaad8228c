"""What a record says to subscribers: its kind, its incident, and which updates go together."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.notices.notice import KINDS, Severity, notice_of, told_with, window_end
from halftone.domain.notices.subscription import TESTED
from tests.support.checkout import ROOT
from tests.support.notices import chain


@pytest.mark.parametrize(
    ("action", "kind", "severity"),
    [
        ("fence", "rollout.rolling_back", Severity.ALERT),
        ("rolled-back", "rollout.rolled_back", Severity.ALERT),
        ("asked", "approval.awaited", Severity.ACTION),
        ("promoted", "rollout.promoted", Severity.INFO),
        ("set-traffic", "settings.changed", Severity.INFO),
        ("an action of tomorrow", "settings.changed", Severity.INFO),
    ],
)
def test_the_kind_of_a_record(action: str, kind: str, severity: Severity) -> None:
    notice = notice_of(chain(action)[0], "dev")
    assert (notice.kind, notice.severity) == (kind, severity)


def test_the_id_is_the_hash_of_the_record() -> None:
    (record,) = chain("fence")
    notice = notice_of(record, "dev")
    assert notice.id == record.hash
    assert notice.incident == "r1"
    assert (notice.share, notice.champion, notice.challenger) == (5.0, "1", "2")
    assert notice.title == "[dev] fraud: rollout rolling back"


def test_what_is_outside_of_a_rollout_is_its_own_incident() -> None:
    notice = notice_of(chain("set-traffic")[0], "dev")
    assert notice.incident == notice.id
    assert notice.share is None


def test_every_kind_stands_for_an_action_that_is_recorded() -> None:
    """What is misspelled here would be a change of settings, and no alert."""
    modules = (
        path for path in (ROOT / "layers").rglob("*.py") if "domain/notices" not in str(path)
    )
    source = "".join(path.read_text() for path in modules)
    assert not [action for action in KINDS if f'"{action}"' not in source and action != TESTED]


@given(spans=st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_each_update_is_told_once_by_the_last_of_its_window(spans: list[int]) -> None:
    """Whatever the times: every update is in exactly one message, in order, and none waits longer
    than a window."""
    records, moment = [], None
    for record, span in zip(chain(*["shifted"] * len(spans)), spans, strict=True):
        moment = (moment or record.at) + timedelta(seconds=span)
        records.append(replace(record, at=moment))
    notices = [notice_of(record, "dev") for record in records]
    messages = [message for n in notices if (message := told_with(n, records))]
    told = [reason for m in messages for reason in (*m.updates, m.reason)]
    assert told == [record.reason for record in records]
    for notice in notices:
        assert timedelta() < window_end(notice) - notice.at <= timedelta(minutes=5)


def test_updates_of_another_rollout_are_told_apart() -> None:
    first, second = chain("shifted", "shifted")
    other = replace(second, after={**second.after, "rollout": "r2"})
    assert told_with(notice_of(first, "dev"), [first, other]) == notice_of(first, "dev")
