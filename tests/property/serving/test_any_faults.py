"""Whatever a challenger does, in any order: no client's request fails, and no secret is logged."""

import base64
import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.traffic.clients import RANDOM_BYTES, new_token
from halftone.domain.traffic.policy import (
    Access,
    Capture,
    Client,
    KeySource,
    Mirror,
    Mode,
    StickyKey,
    TrafficPolicy,
)
from halftone.serving.gateway.upstream import Reply, ReplyStatus
from tests.support.fleet import Crash, Fleet, doubles

NOW = datetime(2026, 11, 2, tzinfo=UTC)

TOKEN, TOKEN_ID, DIGEST = new_token(bytes(range(RANDOM_BYTES)))
SECRET = "planted-secret"
CLIENT = Client("shop", TOKEN_ID, DIGEST, NOW, "ann")


def raises(_):
    raise ValueError(SECRET)


def exits(_):
    raise SystemExit(SECRET)


def crashes(_):
    raise Crash


def misfits(_):
    return [{"y": SECRET}]


def too_few(_):
    return []


BEHAVIOURS = [doubles, raises, exits, crashes, misfits, too_few]
REPLIES = [
    Reply(ReplyStatus.TIMEOUT),
    Reply(ReplyStatus.MISDIRECTED),
    Reply(ReplyStatus.UNAVAILABLE, why="ThrottlingException"),
    Reply(ReplyStatus.ERROR, why="Runtime.OutOfMemory"),
    Reply(ReplyStatus.ERROR, {"statusCode": 503, "headers": {}, "body": "{}"}),
    Reply(ReplyStatus.ANSWERED, {"statusCode": 422, "headers": {}, "body": "{}"}),
]
REPLIES += [Reply(ReplyStatus.TIMEOUT, rest=lambda _, reply=reply: reply) for reply in REPLIES]
faults = st.lists(st.sampled_from([*BEHAVIOURS, *REPLIES]), min_size=1, max_size=40)


@settings(max_examples=150)
@given(faults=faults, share=st.floats(0, 100), sticky=st.booleans())
def test_any_mixture_of_faults_costs_no_client_a_request(faults, share, sticky):
    turn = iter(faults)
    now = []

    def challenger(instances):
        return now[0](instances)

    key = StickyKey(KeySource.HEADER, "x-user") if sticky else None
    trial = Experiment("r", "2", 0, Mode.GUARDED, share=share)
    dispatch = RouteConfig(
        "double", 1, "1", serving=TrafficPolicy(mode=Mode.GUARDED, key=key), trial=trial
    )
    stage = Fleet(dispatch, {"2": challenger})
    for i, fault in enumerate(turn):
        now[:] = [fault]
        stage.outcomes.clear()
        if isinstance(fault, Reply):
            stage.outcomes["challenger"] = fault
        answer = stage.ask_x(4, x_user=f"user-{i}")
        assert answer.status == 200
        assert answer.body == {"predictions": [{"y": 8.0, "label": "low"}]}
    lines = stage.metrics()
    assert len(lines) == len(faults), "one line a request"
    assert not any(line.get("Errors") for line in stage.metrics(Version="1"))


def carrying(secret):
    """Places of a request in which a secret can lie."""
    return st.sampled_from(
        [
            {"authorization": f"Bearer {TOKEN}"},
            {"authorization": "Basic " + base64.b64encode(f"shop:{TOKEN}".encode()).decode()},
            {"authorization": f"Bearer {secret}"},
            {"x-user": secret, "authorization": f"Bearer {TOKEN}"},
            {"x-halftone-deployment": secret, "authorization": f"Bearer {TOKEN}"},
        ]
    )


@settings(max_examples=150)
@given(
    headers=carrying(SECRET),
    body=st.sampled_from(
        [
            {"instances": [{"x": 1}]},
            {"instances": [{"x": SECRET}]},
            {"instances": [{SECRET: 1}]},
            f"{{{SECRET}",
            {"request_id": SECRET, "reward": 1},
        ]
    ),
    fault=st.sampled_from(BEHAVIOURS),
    champion=st.sampled_from(BEHAVIOURS[:3]),
    private=st.booleans(),
    feedback=st.booleans(),
)
def test_no_token_key_or_body_is_in_any_line(*, headers, body, fault, champion, private, feedback):
    serving = TrafficPolicy(
        mode=Mode.GUARDED,
        access=Access.PRIVATE if private else Access.PUBLIC,
        clients=(CLIENT,),
        key=StickyKey(KeySource.HEADER, "x-user"),
        mirror=Mirror("3", 100.0),
    )
    trial = Experiment("r", "2", 0, Mode.GUARDED, share=60.0)
    dispatch = RouteConfig("double", 1, "1", (Placed("3", "3"),), serving, trial)
    stage = Fleet(dispatch, {"1": champion, "2": fault, "3": fault})
    path = "/endpoints/double/feedback" if feedback else ""
    given_as = {name.replace("-", "_"): value for name, value in headers.items()}
    try:
        stage.post(body, path=path, **given_as)
    except Crash:
        return  # the champion's process is gone, and with it whoever could write
    written = "".join(stage.log)
    secret_part = TOKEN.split("_", 2)[2]
    assert SECRET not in written
    assert secret_part not in written
    assert base64.b64encode(f"shop:{TOKEN}".encode()).decode() not in written
    assert secret_part not in json.dumps([event for _, event in stage.sent]) or not private


def test_with_capture_on_the_body_is_kept_but_for_redaction():
    serving = TrafficPolicy(mode=Mode.GUARDED, capture=Capture(100.0, ("x",)))
    stage = Fleet(RouteConfig("double", 1, "1", serving=serving))
    stage.ask_x(123456.0)
    (line,) = stage.told("capture")
    assert json.loads(line["input"]) == {"instances": [{"x": "[redacted]"}]}
    assert "123456.0" not in "".join(stage.log)
