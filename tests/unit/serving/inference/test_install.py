"""A package is fetched, checked and unpacked before the first request, or the reason is kept."""

import hashlib
import io
import json
import zipfile

import boto3
import pytest
from moto import mock_aws

from halftone.domain.errors import InvalidPackage, NotFound, Unavailable
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.domain.names import package_key
from halftone.serving.app import start
from halftone.serving.inference.artifacts import BucketArtifacts, FolderArtifacts
from halftone.serving.inference.install import install
from halftone.serving.settings import Settings


class Context:
    aws_request_id = "request-1"
    function_version = "3"


class Never:
    """A source that must not be asked."""

    def fetch(self, digest, target):
        raise AssertionError(f"{digest} was fetched")


@pytest.fixture
def stored(serve, tmp_path):
    """A package in a folder laid out like the bucket."""
    return serve().package, tmp_path


def test_the_folder_is_complete_and_named_by_the_digest(stored):
    package, root = stored
    folder, manifest = install(package.digest, FolderArtifacts(root), root / "new")
    assert folder == root / "new" / package.digest
    assert {path.name for path in folder.iterdir()} == {"model.json", "predict.py"}
    assert manifest == package.manifest
    assert [path.name for path in (root / "new").iterdir()] == [package.digest]


def test_what_is_installed_is_not_fetched_again(stored):
    package, root = stored
    first = install(package.digest, FolderArtifacts(root), root / "new")
    assert install(package.digest, Never(), root / "new") == first


def test_a_zip_that_is_not_what_its_name_says_is_not_unpacked(stored):
    package, root = stored
    path = root / package_key(package.digest)
    path.write_bytes(path.read_bytes().replace(b"2 *", b"3 *"))
    with pytest.raises(InvalidPackage, match="digest"):
        install(package.digest, FolderArtifacts(root), root / "new")
    assert list((root / "new").iterdir()) == []


def test_an_unsafe_zip_under_its_own_digest_is_not_unpacked(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../escaped.py", "x")
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    path = tmp_path / package_key(digest)
    path.parent.mkdir()
    path.write_bytes(file.getvalue())
    with pytest.raises(InvalidPackage, match="escaped"):
        install(digest, FolderArtifacts(tmp_path), tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    assert not list(tmp_path.rglob("escaped.py"))


def test_a_package_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match=r"0{64}"):
        install("0" * 64, FolderArtifacts(tmp_path), tmp_path / "root")


def test_a_root_that_is_a_file_is_unavailable(stored):
    package, root = stored
    (root / "file").write_text("")
    with pytest.raises(Unavailable, match="file"):
        install(package.digest, FolderArtifacts(root), root / "file")


def test_a_root_of_another_user_is_refused(stored, monkeypatch):
    package, root = stored
    monkeypatch.setattr("os.getuid", lambda: 4242)
    with pytest.raises(Unavailable, match="another user"):
        install(package.digest, FolderArtifacts(root), root / "new")


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3")
        where = {"LocationConstraint": "eu-central-1"}
        client.create_bucket(Bucket="artifacts", CreateBucketConfiguration=where)
        yield client


def test_the_bucket_holds_packages_under_their_key(stored, bucket):
    package, root = stored
    bucket.put_object(Bucket="artifacts", Key=package_key(package.digest), Body=package.data)
    folder, _ = install(package.digest, BucketArtifacts("artifacts"), root / "new")
    assert (folder / "predict.py").is_file()


def test_an_empty_bucket_and_a_missing_one_are_told_apart(bucket, tmp_path):
    with pytest.raises(NotFound, match=r"s3://artifacts/packages/0{64}\.zip"):
        install("0" * 64, BucketArtifacts("artifacts"), tmp_path)
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        install("0" * 64, BucketArtifacts("nowhere"), tmp_path)


def test_without_a_release_the_endpoint_says_so(serve):
    served = serve(package=None)
    answer = served.post({"instances": [{"x": 1}]})
    assert answer["statusCode"] == 503
    detail = json.loads(answer["body"])["detail"]
    assert detail == "no model has been released to this endpoint yet"
    assert served.faults == []


FAILS_TO_LOAD = {
    "init raises": (
        "run = print\ndef init():\n    raise ValueError('no table')",
        "ValueError: no table",
    ),
    "the module raises": ("raise KeyError('top')", "KeyError: 'top'"),
    "the module exits": ("import sys\nsys.exit(1)", "SystemExit: 1"),
    "there is no run": ("x = 1", "predict.py: run is None, expected a function"),
    "run is asynchronous": ("async def run(instances): ...", "run is 'async def run', expected"),
    "init is asynchronous": (
        "run = print\nasync def init(): ...",
        "init is 'async def init', expected a function without async",
    ),
    "there is a syntax error": ("def run(", "SyntaxError"),
    "a library is missing": ("import no_such_library", "no_such_library"),
    "a sibling is imported without a dot": ("import tables", "from . import tables"),
}


@pytest.mark.parametrize(("code", "reason"), FAILS_TO_LOAD.values(), ids=FAILS_TO_LOAD)
def test_the_smoke_test_reads_why_a_model_did_not_load(serve, code, reason):
    served = serve(code, files={"tables.py": "x = 1"})
    (sample,) = served.package.manifest.samples
    verdict = check_answer(sample, served.send(smoke_event("double", sample)))
    assert "status is 503" in verdict
    assert reason in verdict
    answer = served.post({"instances": [{"x": 1}]})
    assert answer["statusCode"] == 503
    assert reason not in answer["body"]
    (fault,) = served.faults
    assert reason in fault["reason"]
    assert [line["Errors"] for line in served.metrics] == [1]


def test_a_wrong_digest_is_a_reason_too(tmp_path):
    log = []
    settings = Settings("double", "bucket", 100, 1000, "rollout-1", "0" * 64)
    server = start(settings, FolderArtifacts(tmp_path), root=tmp_path / "r", write=log.append)
    event = {
        "rawPath": "/endpoints/double/invocations",
        "requestContext": {"http": {"method": "POST"}},
    }
    assert server(event, Context())["statusCode"] == 503
    assert "there is no package" in json.loads(log[0])["reason"]
