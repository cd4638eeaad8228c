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


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["9", "teal"])
def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(api, path, name):
    answer = api.get(f"{path}?version={name}")
    assert answer.status == 404
    assert f"no version '{name}'" in answer.problem["detail"]
    assert "1, 2 (green)" in answer.problem["detail"]
