"""What holds for every route there is, whoever adds it."""

import inspect
import json
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from halftone.api import app as module
from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext, Deletes, Edits, Posts, Reads
from halftone.api.openapi import document, guard_of, routes_of, text
from halftone.domain.access import Action
from halftone.testing import InMemoryStage

APP = create_app(ApiContext(InMemoryStage().ports(), lambda _: ""))
ROUTES = list(routes_of(APP))
GUARDS = {"GET": Reads, "POST": Posts, "PUT": Edits, "PATCH": Edits, "DELETE": Deletes}
DOCUMENT = document(APP)
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=ROUTES, ids=lambda route: f"{'/'.join(route.methods)} {route.path}")
def route(request: pytest.FixtureRequest) -> APIRoute:
    return request.param


def test_it_is_guarded_as_its_method_asks(route):
    (method,) = route.methods
    guard = guard_of(route)
    assert type(guard) is GUARDS[method]
    assert (guard.action in (Action.VIEW, Action.READ)) is (method == "GET")


def test_it_is_async(route):
    """A sync one runs in a thread and costs five times more."""
    assert inspect.iscoroutinefunction(route.endpoint)


def test_it_has_a_version_in_its_path_and_says_what_it_does(route):
    assert route.path.startswith("/v1/")
    assert (route.description or "").partition("\n")[0].endswith(".")


def test_an_answer_that_takes_time_or_makes_is_documented(route):
    operation = DOCUMENT["paths"][route.path][next(iter(route.methods)).lower()]
    good = [status for status in operation["responses"] if status.startswith("2")]
    assert str(route.status_code or 200) in good
    for status in good:
        assert operation["responses"][status].get("content"), (route.path, status)


def test_operations_have_names_of_their_own():
    names = [route.name for route in ROUTES]
    assert len(names) == len({*names})


def test_paths_are_matched_by_one_route_only():
    """Starlette takes the first that fits: a name in a path must not hide another route's word."""
    for number, route in enumerate(ROUTES):
        for earlier in ROUTES[:number]:
            if earlier.methods & route.methods:
                assert not earlier.path_regex.match(route.path), (earlier.path, route.path)


def test_no_middleware_slows_every_request():
    """``@app.middleware("http")`` costs more than a route does."""
    assert APP.user_middleware == []


def test_every_module_of_routes_is_in_the_app():
    folder = Path(module.__file__).parent / "routers"
    paths = (path.relative_to(folder).with_suffix("") for path in folder.rglob("[a-z]*.py"))
    assert {".".join(path.parts) for path in paths} == {*module.ROUTERS}


def test_the_committed_document_is_the_app_s():
    committed = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    stale = "stale: python -m halftone.api.openapi docs/openapi.json"
    assert json.loads(committed) == json.loads(text()), stale
