"""The examples are what their descriptions say: good, better, and bad on a third of real input."""

import json

import pytest
import yaml

from halftone.domain.endpoint.spec import load_spec
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.domain.names import package_key
from halftone.packaging.folder import build_package
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

LABELS = {"breast-cancer": "diagnosis", "digits": "label"}
MODELS = ("champion", "challenger", "bad")


class Context:
    aws_request_id = "request-1"
    function_version = "3"


@pytest.fixture(scope="module", params=LABELS)
def endpoint(request):
    return request.param


@pytest.fixture(scope="module")
def folder(request, endpoint):
    return request.config.rootpath / "examples" / endpoint


@pytest.fixture(scope="module")
def traffic(folder):
    lines = (folder / "traffic.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def packages(folder):
    return {model: build_package(folder / "models" / model) for model in MODELS}


@pytest.fixture(scope="module")
def servers(endpoint, packages, tmp_path_factory):
    """Each model behind the real server."""
    root = tmp_path_factory.mktemp(endpoint)
    (root / "packages").mkdir()
    served = {}
    for model, package in packages.items():
        (root / package_key(package.digest)).write_bytes(package.data)
        settings = Settings(endpoint, "bucket", 500.0, 1_000_000, "rollout-1", package.digest)
        artifacts = FolderArtifacts(root)
        served[model] = start(settings, artifacts, root=root / "unpacked", write=lambda _: None)
    return served


@pytest.fixture(scope="module")
def outcomes(endpoint, servers, traffic):
    """For each model and each request of the traffic: right, wrong, or the status of a failure."""

    def outcome(server, line):
        event = {
            "rawPath": f"/endpoints/{endpoint}/invocations",
            "requestContext": {"http": {"method": "POST"}},
            "body": json.dumps({"instances": [line["instance"]]}),
        }
        answer = server(event, Context())
        if answer["statusCode"] != 200:
            return answer["statusCode"]
        (prediction,) = json.loads(answer["body"])["predictions"]
        return prediction[LABELS[endpoint]] == line["label"]

    return {model: [outcome(servers[model], line) for line in traffic] for model in MODELS}


def test_the_endpoint_is_declared_and_starts_with_its_champion(endpoint, folder):
    spec = load_spec(yaml.safe_load((folder / "endpoint.yaml").read_text(encoding="utf-8")))
    assert spec.name == endpoint == folder.name
    assert spec.model == "models/champion"
    assert [stage.weight for stage in spec.plan.stages] == [5, 20, 50, 95]


def test_all_models_take_the_same_requests(packages):
    assert len({package.manifest.inputs for package in packages.values()}) == 1
    assert len({package.manifest.outputs for package in packages.values()}) == 1
    assert len({package.digest for package in packages.values()}) == len(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_passes_its_own_samples(endpoint, packages, servers, model):
    samples = packages[model].manifest.samples
    assert len(samples) >= 3
    for sample in samples:
        assert (
            check_answer(sample, servers[model](smoke_event(endpoint, sample), Context())) is None
        )


@pytest.mark.parametrize("model", MODELS)
def test_a_package_is_small_enough_to_be_committed(packages, model):
    assert len(packages[model].data) < 1_000_000


def test_the_challenger_beats_the_champion_and_neither_fails(outcomes):
    champion, challenger = outcomes["champion"], outcomes["challenger"]
    assert set(champion) | set(challenger) == {True, False}
    assert len(champion) >= 250
    assert 0.75 < sum(champion) / len(champion) < 0.95
    assert sum(challenger) / len(challenger) > sum(champion) / len(champion) + 0.05


def test_the_bad_model_fails_on_a_third_of_real_requests(outcomes):
    bad = outcomes["bad"]
    failures = [outcome for outcome in bad if outcome not in (True, False)]
    assert set(failures) == {500}
    assert 0.30 <= len(failures) / len(bad) <= 0.40
    rest = [outcome for outcome in bad if outcome in (True, False)]
    assert sum(rest) / len(rest) > 0.9
