"""Browsers: preflights have their answer without credentials, and errors can be read, too."""

import pytest

from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.errors import Unavailable
from halftone.domain.traffic.policy import Access, Cors, TrafficPolicy
from halftone.domain.traffic.policy_schema import dump_policy, load_policy
from halftone.serving.http.cors import CrossOrigin
from tests.support.fleet import Fleet
from tests.support.refusals import read_or_refusal

SHOP, OTHER = "https://shop.example", "https://other.example"
CORS = Cors((SHOP, "http://localhost:3000"), ("x-user",))
PATHS = [
    ("/endpoints/double/invocations", "POST"),
    ("/endpoints/double/versions/1/invocations", "POST"),
    ("/endpoints/double/feedback", "POST"),
    ("/endpoints/double/health", "GET, HEAD"),
    ("/endpoints/double", "GET, HEAD"),
    ("/v2/models/double/infer", "POST"),
    ("/v2/models/double", "GET, HEAD"),
    ("/endpoints/double/app/any", "PUT"),
]


def fleet(cors=CORS, **serving):
    return Fleet(RouteConfig("double", 1, "1", serving=TrafficPolicy(cors=cors, **serving)))


def ask(stage, path, method="OPTIONS", **headers):
    """The answer as API Gateway gets it."""
    event = {
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method, "sourceIp": "192.0.2.1"}},
        "body": '{"instances": [{"x": 1}]}',
    }

    class Context:
        aws_request_id = "r-1"
        function_version = "1"

    return stage.server("1")(event, Context())


def preflight(stage, path, origin=SHOP, method="PUT"):
    return ask(
        stage,
        path,
        origin=origin,
        access_control_request_method=method,
        access_control_request_headers="authorization,content-type,x-user",
    )


@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize(("path", "methods"), PATHS)
def test_a_preflight_is_answered_without_credentials(access, path, methods):
    stage = fleet(access=access)
    answer = preflight(stage, path)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    headers = answer["headers"]
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["access-control-allow-methods"] == methods
    allowed = headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "x-user", "x-halftone-deployment"} <= {*allowed}
    assert headers["access-control-max-age"] == "600"
    assert headers["vary"] == "Origin"
    assert stage.log == [], "nobody asked for a prediction"


@pytest.mark.parametrize(("path", "_methods"), PATHS)
def test_a_preflight_of_another_origin_is_refused(path, _methods):
    answer = preflight(fleet(), path, OTHER)
    assert answer["statusCode"] == 403
    assert "access-control-allow-origin" not in answer["headers"]
    assert answer["headers"]["vary"] == "Origin"


@pytest.mark.parametrize(("path", "_methods"), PATHS)
def test_without_the_setting_nothing_is_different(path, _methods):
    answer = preflight(fleet(None, access=Access.PRIVATE), path)
    assert answer["statusCode"] in (401, 405)
    assert not [name for name in answer["headers"] if "access-control" in name or name == "vary"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/endpoints/double/invocations", {}, 200),
        ("/endpoints/double/invocations", {"x_halftone_deployment": "9"}, 404),
        ("/endpoints/double/invocations", {"content_encoding": "br"}, 415),
        ("/endpoints/double/nothing", {}, 404),
        ("/endpoints/double/health", {}, 405),
        ("/endpoints/double/feedback", {}, 422),
    ],
)
def test_every_answer_can_be_read_by_a_page_that_may_call(path, headers, status):
    answer = ask(fleet(), path, "POST", origin=SHOP, **headers)
    assert answer["statusCode"] == status
    assert answer["headers"]["access-control-allow-origin"] == SHOP
    assert "x-request-id" in answer["headers"]["access-control-expose-headers"]
    other = ask(fleet(), path, "POST", origin=OTHER, **headers)
    assert other["statusCode"] == status
    assert "access-control-allow-origin" not in other["headers"]


def test_a_refusal_of_a_private_or_stopped_endpoint_is_readable():
    for serving, status in ({"access": Access.PRIVATE}, 401), ({"stopped": "maintenance"}, 503):
        answer = ask(fleet(**serving), "/endpoints/double/invocations", "POST", origin=SHOP)
        assert answer["statusCode"] == status
        assert answer["headers"]["access-control-allow-origin"] == SHOP


def test_where_nobody_knows_who_may_call_known_origins_hold(monkeypatch):
    stage = fleet(access=Access.PRIVATE)
    now = [1_000_000.0]
    stage.clock = lambda: now[0]
    assert preflight(stage, PATHS[0][0])["statusCode"] == 204

    def fails():
        raise Unavailable("the table does not answer")

    monkeypatch.setattr(stage.source, "read", fails)
    now[0] += 3600.0
    answer = ask(stage, PATHS[0][0], "POST", origin=SHOP)
    assert answer["statusCode"] == 503
    assert answer["headers"]["access-control-allow-origin"] == SHOP


def test_all_origins():
    stage = fleet(Cors(("*",)))
    assert preflight(stage, PATHS[0][0], OTHER)["headers"]["access-control-allow-origin"] == "*"
    answer = ask(stage, PATHS[0][0], "POST", origin="null")
    assert answer["headers"]["access-control-allow-origin"] == "*"
    assert "vary" not in answer["headers"]


def test_an_apps_own_word_on_origins_goes_where_the_setting_is():
    payload = {"headers": {"Access-Control-Allow-Origin": "https://evil.example", "Vary": "Cookie"}}
    headers = CrossOrigin(CORS).mark(payload, {"origin": SHOP})["headers"]
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["vary"] == "Cookie, Origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "written",
    [
        {"origins": [SHOP]},
        {"origins": ["*"], "headers": ["X-User"], "max_age": "1h"},
        {"origins": ["null", "http://[::1]:8080", "app://x"], "max_age": "0s"},
    ],
)
def test_what_is_written_is_read_again(written):
    read = load_policy({"cors": written})
    assert load_policy(dump_policy(read)) == read


@pytest.mark.parametrize(
    ("cors", "told"),
    [
        ("*", "cors is '*', expected {origins"),
        ({}, "cors.origins is None"),
        ({"origins": []}, "cors.origins is []"),
        ({"origins": ["shop.example"]}, "cors.origins[0] is 'shop.example', expected an origin"),
        ({"origins": [f"{SHOP}/"]}, "cors.origins[0]"),
        ({"origins": [SHOP.upper()]}, "cors.origins[0]"),
        ({"origins": [SHOP, SHOP]}, "each once"),
        ({"origins": ["*", SHOP]}, '"*" alone'),
        ({"origins": [SHOP], "credentials": True}, "cors.credentials"),
        ({"origins": [SHOP], "headers": ["a b"]}, "cors.headers[0]"),
        ({"origins": [SHOP], "max_age": "2d"}, "cors.max_age"),
        ({"origins": [SHOP], "max_age": "1ms"}, "cors.max_age"),
        ({"origins": ["https://\ud800"]}, "cors"),
    ],
)
def test_what_can_t_be_meant_is_refused_by_its_field(cors, told):
    assert told in str(read_or_refusal(load_policy, {"cors": cors}))
