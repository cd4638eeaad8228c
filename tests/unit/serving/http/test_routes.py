"""What a path, a method and two headers ask for, before anybody looks into a body."""

import pytest

from halftone.serving.http.request import Route, route, spoken
from halftone.serving.http.response import Problem, Spoken

PLAIN = [
    ("POST", "/endpoints/tried/invocations", Route.INVOKE, None),
    ("POST", "/endpoints/tried/versions/7/invocations", Route.INVOKE, "7"),
    ("POST", "/endpoints/tried/versions/full-logistic/invocations", Route.INVOKE, "full-logistic"),
    ("GET", "/endpoints/tried", Route.DESCRIBE, None),
    ("GET", "/endpoints/tried/health", Route.HEALTH, None),
    ("GET", "/endpoints/tried/openapi.json", Route.OPENAPI, None),
    ("POST", "/endpoints/tried/feedback", Route.FEEDBACK, None),
    ("GET", "/endpoints/tried/app/", Route.APP, None),
    ("DELETE", "/endpoints/tried/app/any/versions/3", Route.APP, None),
    ("POST", "/endpoints/tried/app", Route.APP, None),
]
V2 = [
    ("POST", "/v2/models/tried/infer", Route.INFER, None),
    ("POST", "/v2/models/tried/versions/7/infer", Route.INFER, "7"),
    ("GET", "/v2/models/tried", Route.MODEL, None),
    ("GET", "/v2/models/tried/versions/7", Route.MODEL, "7"),
    ("GET", "/v2/models/tried/ready", Route.MODEL_READY, None),
    ("GET", "/v2/models/tried/versions/7/ready", Route.MODEL_READY, "7"),
    ("GET", "/v2", Route.SERVER, None),
    ("GET", "/v2/", Route.SERVER, None),
    ("GET", "/v2/health/live", Route.SERVER_LIVE, None),
    ("GET", "/v2/health/ready", Route.SERVER_READY, None),
]


def event(method, path, **more):
    return {"rawPath": path, "requestContext": {"http": {"method": method}}, **more}


@pytest.mark.parametrize("before", ["", "/stage", "/endpoints/v2", "/v2", "/v2beta/v2"])
@pytest.mark.parametrize(("method", "path", "expected", "pin"), PLAIN)
def test_a_plain_path_says_what_it_asks_for(before, method, path, expected, pin):
    request = route(event(method, before + path), "tried")
    assert (request.route, request.pin, request.spoken) == (expected, pin, Spoken.PLAIN)


@pytest.mark.parametrize(
    "before",
    [
        "",
        "/endpoints/tried",
        "/stage",
        "/stage/endpoints/tried",
        "/v2",
        "/v2beta",
        "/v2/v2/models",
        "/v2beta/endpoints/tried",
    ],
)
@pytest.mark.parametrize(("method", "path", "expected", "pin"), V2)
def test_v2_is_at_the_root_and_below_the_endpoint(before, method, path, expected, pin):
    request = route(event(method, before + path), "tried")
    assert (request.route, request.pin, request.spoken) == (expected, pin, Spoken.V2)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/endpoints/other/invocations",
        "/endpoints/tried/invocations/",
        "/endpoints/tried/versions//invocations",
        "/endpoints/tried/versions/1/2/invocations",
        "/endpoints/triedapp",
        "/endpoints/tried/application",
    ],
)
def test_other_paths_are_not_found(path):
    with pytest.raises(Problem) as caught:
        route(event("POST", path), "tried")
    assert caught.value.status == 404
    assert caught.value.to_response(spoken(event("POST", path))).content_type.startswith(
        "application/problem"
    )


@pytest.mark.parametrize(
    "path", ["/v2/models/other/infer", "/endpoints/tried/v2/models/other", "/v2/models/tried/x"]
)
def test_an_error_speaks_the_protocol_of_its_path(path):
    with pytest.raises(Problem) as caught:
        route(event("POST", path), "tried")
    answer = caught.value.to_response(spoken(event("POST", path)))
    assert (answer.status, answer.content_type) == (404, "application/json")
    assert answer.body.startswith('{"error":"nothing is here')


@pytest.mark.parametrize(("method", "path"), [(result[0], result[1]) for result in (*PLAIN, *V2)])
def test_another_method_names_the_right_one(method, path):
    if "/app" in path:
        return
    with pytest.raises(Problem) as caught:
        route(event("PATCH", path), "tried")
    allowed = "GET, HEAD" if method == "GET" else method
    assert (caught.value.status, caught.value.headers) == (405, {"allow": allowed})


def test_a_header_in_any_case_pins_and_the_path_goes_before_it():
    headers = {"X-Halftone-Deployment": "blue"}
    request = route(event("POST", "/endpoints/tried/invocations", headers=headers), "tried")
    assert request.pin == "blue"
    assert request.headers == {"x-halftone-deployment": "blue"}
    path = "/endpoints/tried/versions/7/invocations"
    assert route(event("POST", path, headers=headers), "tried").pin == "7"


def test_health_is_asked_of_a_version_by_the_query():
    query = {"version": "7"}
    request = route(event("GET", "/endpoints/tried/health", queryStringParameters=query), "tried")
    assert (request.pin, request.query) == ("7", query)
    invoked = event("POST", "/endpoints/tried/invocations", queryStringParameters=query)
    assert route(invoked, "tried").pin is None
    for both, pin in [({"model": "v2"}, "v2"), ({"version": "2", "model": "2"}, "2")]:
        request = route(
            event("GET", "/endpoints/tried/health", queryStringParameters=both), "tried"
        )
        assert request.pin == pin
    with pytest.raises(Problem, match="two versions"):
        route(
            event(
                "GET",
                "/endpoints/tried/health",
                queryStringParameters={"version": "2", "model": "3"},
            ),
            "tried",
        )


def test_headers_and_queries_that_are_no_texts_are_left_out():
    odd = {"a": 1, "b": None, "C": "x"}
    request = route(
        event("POST", "/endpoints/tried/invocations", headers=odd, queryStringParameters=[1]),
        "tried",
    )
    assert (request.headers, request.query) == ({"c": "x"}, {})
