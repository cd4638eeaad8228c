"""Which notices a subscription wants, and which addresses it may have."""

import pytest

from halftone.domain.errors import InvalidInput
from halftone.domain.notices.notice import notice_of
from halftone.domain.notices.subscription import (
    Channel,
    checked_address,
    checked_kinds,
    is_public,
    shown,
)
from tests.support.notices import SECRET, chain, subscription


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        (("alert",), True),
        (("rollout.*",), True),
        (("*.rolled_back",), True),
        (("action", "info"), False),
        (("approval.*",), False),
    ],
)
def test_kinds_are_severities_or_patterns(kinds: tuple[str, ...], wanted: bool) -> None:
    notice = notice_of(chain("rolled-back")[0], "dev")
    assert subscription(kinds=kinds).wants(notice) is wanted


def test_another_endpoint_s_notices_and_an_ended_subscription() -> None:
    notice = notice_of(chain("rolled-back")[0], "dev")
    assert subscription(endpoint="fraud").wants(notice)
    assert not subscription(endpoint="churn").wants(notice)
    assert not subscription(ended="no need").wants(notice)


@pytest.mark.parametrize("kind", ["", "alerts", "rollout", "rollout.*.x", "ROLLOUT.*", "a b"])
def test_a_kind_that_nothing_is_of_is_refused(kind: str) -> None:
    with pytest.raises(InvalidInput, match=r"kinds\[1\]"):
        checked_kinds("kinds", ["alert", kind])


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://ops.example.com:443/hook?team=ml",
        "https://93.184.215.14/hook",
    ],
)
def test_public_addresses_are_taken(address: str) -> None:
    assert checked_address(Channel.WEBHOOK, address, stage="dev") == address


@pytest.mark.parametrize(
    "address",
    [
        "http://ops.example.com/hook",
        "ftp://ops.example.com",
        "https://",
        "https://ops.example.com:8443/hook",
        "https://user:word@ops.example.com/hook",
        "https://ops.example.com/hook#part",
        "https://ops.example.com/ho ok",
        "https://ops.example.com/\u00e4",
        "https://ops.example.com:port/",
        "https://[::1",
        "https://localhost/hook",
        "https://intranet/hook",
        "https://db.internal/hook",
        "https://10.0.0.1/hook",
        "https://127.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.1.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[fd00::1]/hook",
        "https://224.0.0.1/hook",
        f"https://ops.example.com/{'x' * 1000}",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="address"):
        checked_address(Channel.WEBHOOK, address, stage="dev")


def test_hosts_of_the_stage_s_own_are_taken() -> None:
    address = "http://127.0.0.1:9000/hook"
    taken = checked_address(Channel.WEBHOOK, address, stage="dev", hosts=["127.0.0.1"])
    assert taken == address


@pytest.mark.parametrize(
    ("topic", "taken"),
    [
        ("arn:aws:sns:eu-west-1:111111111111:halftone-dev-oncall", True),
        ("arn:aws-cn:sns:cn-north-1:111111111111:halftone-dev", True),
        ("arn:aws:sns:eu-west-1:111111111111:oncall", False),
        ("arn:aws:sqs:eu-west-1:111111111111:halftone-dev", False),
        ("halftone-dev-oncall", False),
    ],
)
def test_topics_have_the_stage_in_their_names(topic: str, taken: bool) -> None:
    if taken:
        assert checked_address(Channel.SNS, topic, stage="dev") == topic
        return
    with pytest.raises(InvalidInput, match="an SNS topic whose name begins with halftone-dev"):
        checked_address(Channel.SNS, topic, stage="dev")


def test_names_are_public_only_where_that_is_asked() -> None:
    assert is_public("8.8.8.8")
    assert not is_public("ops.example.com")
    assert is_public("ops.example.com", names=True)


def test_the_audit_shows_no_secret() -> None:
    slack = subscription(channel=Channel.SLACK, address="https://hooks.slack.com/services/T0/x")
    assert "services" not in str(shown(slack))
    assert SECRET not in str(shown(slack))
    assert shown(slack)["address"] == "https://hooks.slack.com/…"
