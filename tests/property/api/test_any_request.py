"""Whatever a client sends: no 5xx, and no answer that the document does not have.

schemathesis makes requests out of the OpenAPI document, good and bad ones, for every operation that
there is, and holds the answers to the document: status, content type, and shape.
"""

from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext
from halftone.domain.audit import Author
from halftone.domain.endpoint.state import Placed
from halftone.domain.rollout.phase import Phase
from halftone.service.endpoints.clients import add_client
from halftone.service.groups import make_group
from halftone.testing import InMemoryStage
from tests.support.control import ANN
from tests.support.engine import NAME, Endpoint

load_all_checks()
HELD = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "allow_header_conformance",
    ]
)


def world() -> InMemoryStage:
    """An endpoint with a past and a rollout under way."""
    endpoint = Endpoint()
    endpoint.serve("first")
    endpoint.serve("second")
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.traffic(timedelta(minutes=1))
    endpoint.tick()
    make_group(endpoint.ports, "team", description="", members={}, author=Author(ANN, ""))
    add_client(endpoint.ports, NAME, "clinic", author=Author(ANN, ""))
    placed = tuple(Placed(version, version) for version in ("1", "2"))
    endpoint.world.store.states[NAME] = replace(endpoint.state, placed=placed)
    return endpoint.world


WORLD = world()
STATE = WORLD.store.states[NAME]
assert STATE.rollout is not None
THERE = {
    "endpoint": NAME,
    "rollout": STATE.rollout.id,
    "group": "team",
    "deployment": "1",
    "model": "first",
    "number": 1,
    "alias": "challenger",
    "client": "clinic",
}
"""What the world has, by the names that paths give it: good requests ask for that."""

NEVER = {
    "POST /v1/endpoints/{endpoint}/adopt": "the table was not restored",
    "POST /v1/endpoints/{endpoint}/releases": "no digest that is made up is that of a package",
    "POST /v1/models/{model}/versions": "as above",
    "PUT /v1/endpoints/{endpoint}/traffic": "no name that is made up is that of a deployment",
    "POST /v1/endpoints/{endpoint}/rollouts/{rollout}/approve": "it waits for nobody",
    "POST /v1/endpoints/{endpoint}/rollouts/{rollout}/reject": "it waits for nobody",
}
"""Operations that only ever refuse what is made up, and why."""

EDITS: dict[str, dict[str, object]] = {
    "PATCH /v1/endpoints/{endpoint}/deployments/{deployment}": {"name": "green"},
    "PATCH /v1/endpoints/{endpoint}/serving": {"access": "private"},
    "PATCH /v1/endpoints/{endpoint}/settings": {"description": "Is it fraud?"},
    "PATCH /v1/models/{model}/versions/{number}": {"tags": {"validation_status": "PASSED"}},
    "PUT /v1/endpoints/{endpoint}/mirror": {"mirror": None},
    "PUT /v1/endpoints/{endpoint}/owner": {"owner": None},
    "PUT /v1/endpoints/{endpoint}/rules": {"rules": []},
    "PUT /v1/groups/{group}": {"members": {}},
    "PUT /v1/models/{model}/aliases/{alias}": {"number": 1},
    "PUT /v1/models/{model}/owner": {"owner": None},
}
"""Edits that are sure to act. What is made up is seldom one, and which is made up depends on what
else was imported: hypothesis draws constants of the code that it finds.
"""

ANSWERED: dict[str, set[int]] = defaultdict(set)
"""The statuses that each operation has answered."""

# RFC 6585 has a status of its own for an edit that does not say what it has seen.
CONFIG = {
    "checks": {"missing_required_header": {"expected-statuses": [400, 428]}},
    # Who asks is told by API Gateway, which has checked the signature.
    "generation": {"with-security-parameters": False},
}

app = create_app(ApiContext(WORLD.ports(), lambda _: ANN))
schema = schemathesis.openapi.from_asgi(
    "/v1/openapi.json", app, config=schemathesis.Config.from_dict(CONFIG)
)


@pytest.fixture(scope="module", autouse=True)
def met_when_they_act() -> Iterator[None]:
    """Else all that would be held to the document are refusals."""
    yield
    refused = {label for label, statuses in ANSWERED.items() if min(statuses) >= 300}
    assert refused <= {*NEVER}


@schema.parametrize()
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_of_the_document(case: schemathesis.Case) -> None:
    app.state.control = ApiContext(deepcopy(WORLD).ports(), lambda _: ANN)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        case.path_parameters.update(
            {name: value for name, value in THERE.items() if name in case.path_parameters}
        )
    answer = case.call_and_validate(checks=HELD)
    ANSWERED[case.operation.label].add(answer.status_code)


@pytest.mark.parametrize("label", EDITS)
def test_an_edit_that_acts_is_answered_as_the_document_says(label: str) -> None:
    app.state.control = ApiContext(deepcopy(WORLD).ports(), lambda _: ANN)
    method, path = label.split()
    operation = schema[path][method]
    case = operation.Case(
        path_parameters={name: there for name, there in THERE.items() if f"{{{name}}}" in path},
        headers={"if-match": "*"},
        body=EDITS[label],
        media_type="application/json",
    )
    answer = case.call_and_validate(checks=HELD)
    assert answer.status_code < 300, answer.text
    ANSWERED[label].add(answer.status_code)
