"""Whatever a client does with what it was answered: no 5xx, and each answer is of the document.

schemathesis finds which answers lead on (a rollout's id, a cursor, a group's name, a Location), and
takes such ways through one stage, in which each request finds what those before it have left.
Texts with half of a surrogate pair, which JSON can write and no table can keep, are sent to every
operation that takes a body.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from halftone.api.authorizer import ApiContext
from tests.property.api.test_any_request import HELD, THERE, WORLD, app, schema
from tests.support.control import ANN, event, on

HALF = "\ud800"
LEADS_ON = 30
"""At least so many operations and links were found: a schema that leads nowhere tests nothing."""

_found = schema.as_state_machine()._transitions.operations
_linked = {label for label, each in _found.items() if each.outgoing or each.incoming}
_Machine: Any = schema.include(
    lambda context: context.operation.label in _linked
).as_state_machine()
"""Of the operations between which something leads: the others would seldom follow one another."""


class Client(_Machine):  # type: ignore[misc]
    """One client on one stage: all that it was answered, and how much it has changed."""

    read = ""
    changes = 0

    def setup(self) -> None:
        """A stage of its own for each way."""
        app.state.control = ApiContext(deepcopy(WORLD).ports(), lambda _: ANN)
        self.read, self.changes = "", 0

    def before_call(self, case: schemathesis.Case) -> None:
        """What no answer has led to is asked of what the world has."""
        if case.meta is not None and not case.meta.generation.mode.is_positive:
            return
        for name, value in THERE.items():
            if name in case.path_parameters and f'"{case.path_parameters[name]}"' not in self.read:
                case.path_parameters[name] = value

    def after_call(self, response: Any, case: schemathesis.Case) -> None:
        """Remember it, and count the changes of this way."""
        self.read += response.text
        self.changes += case.method != "GET" and response.status_code < 300
        if self.changes > 1:
            CHANGED_AGAIN.append(case.operation.label)

    def validate_response(self, response: Any, case: schemathesis.Case, **more: Any) -> None:
        """The checks of single requests hold on any way."""
        del more
        case.validate_response(response, checks=HELD)


CHANGED_AGAIN: list[str] = []
"""The operations that met what two changes before them on the same way have left."""


@pytest.fixture(scope="module", autouse=True)
def changed_again() -> Iterator[None]:
    """Else it is no sequence, but requests one by one."""
    yield
    assert CHANGED_AGAIN


TestAnySequence = Client.TestCase
TestAnySequence.settings = settings(
    max_examples=20,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_answers_lead_on() -> None:
    links = [len(each.outgoing) for each in _Machine._transitions.operations.values()]
    assert len(links) + sum(links) >= LEADS_ON


@schema.parametrize()
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_half_of_a_surrogate_pair_is_refused_everywhere(case: schemathesis.Case) -> None:
    """As an escape in JSON it is well-formed, and Python reads it."""
    body, count = _with_halves(case.body)
    if not count:
        return
    path = case.operation.path.format(**{**dict.fromkeys(case.path_parameters, "x"), **THERE})
    headers = {"content-type": "application/json", "if-match": "*"}
    headers |= {"idempotency-key": "12345678", "halftone-seen": "2"}
    sent = event(case.method, path, headers, json.dumps(body), ANN)
    answer = on(deepcopy(WORLD)).send(sent)
    assert 400 <= answer.status < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def _with_halves(value: Any) -> tuple[Any, int]:
    """``value`` with half of a pair at the end of each text in it, and how many those are."""
    if isinstance(value, str):
        return value + HALF, 1
    if isinstance(value, list):
        parts = [_with_halves(each) for each in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if isinstance(value, dict):
        named = {name: _with_halves(each) for name, each in value.items()}
        return {name: part for name, (part, _) in named.items()}, sum(n for _, n in named.values())
    return value, 0
