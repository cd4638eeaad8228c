"""A version is taken by its number, its deployment's name, and by the part that it plays."""

import pytest

from tests.support.engine import NAME

BASE = f"/v1/endpoints/{NAME}"
PATHS = [f"{BASE}/logs", f"{BASE}/logs/download", f"{BASE}/replicas", f"{BASE}/metrics"]
NAMES = {"1": "1", "champion": "1", "2": "2", "challenger": "2", "green": "2"}


@pytest.fixture(autouse=True)
def lines(endpoint, api):
    """Version 2 is called green; each version has written a line."""
    assert api.ask("PATCH", f"{BASE}/deployments/2", {"name": "green"}).status == 200
    now = endpoint.world.clock.now()
    for version in ("1", "2"):
        stream = f"2026/01/01/[{version}]{version * 32}"
        endpoint.world.logs.write(NAME, stream, now, f"by version {version}")


@pytest.mark.parametrize("name", NAMES)
def test_logs_are_of_the_version_that_is_called_so(api, name):
    items = api.get(f"{BASE}/logs?version={name}").json["items"]
    assert {item["version"] for item in items} == {NAMES[name]}


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_of_the_version_that_is_called_so(api, name):
    assert list(api.get(f"{BASE}/metrics?version={name}").json["versions"]) == [NAMES[name]]


@pytest.mark.parametrize("query", ["v=1", "version=blue", "version=1"])
def test_a_rollback_takes_a_name_and_either_word(api, endpoint, query):
    endpoint.serve("third")
    assert api.ask("PATCH", f"{BASE}/deployments/1", {"name": "blue"}).status == 200
    assert api.post(f"{BASE}/rollback?{query}").json["champion"]["version"] == "1"


def test_a_rollback_to_a_name_that_is_not_there_changes_nothing(api, endpoint):
    before = endpoint.state
    assert api.post(f"{BASE}/rollback?version=teal").status == 404
    assert api.post(f"{BASE}/rollback?version=1&v=1").status == 400
    assert endpoint.state == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{BASE}/logs?version=No!", "a deployment's name"),
        (f"{BASE}/deployments/No!", "a deployment's name"),
        ("/v1/endpoints/No!", "a-z, 0-9 and single inner hyphens"),
        ("/v1/models/No!", "lower-case letters"),
        (f"{BASE}/rollouts/No!", "a rollout's id"),
    ],
)
def test_no_error_explains_itself_by_a_regular_expression(api, path, words):
    answer = api.get(path)
    assert answer.status == 400
    assert words in answer.problem["expected"]
    assert not {"^", "$", "[", "\\"} & set(answer.problem["expected"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["9", "teal"])
def test_an_unknown_version_is_an_error_that_names_the_known(api, path, name):
    answer = api.get(f"{path}?version={name}")
    assert answer.status == 404
    assert f"no version '{name}'" in answer.problem["detail"]
    assert "1, 2 (green)" in answer.problem["detail"]
