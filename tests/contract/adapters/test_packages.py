"""A package is kept under its digest once it is sound, with its manifest, and never otherwise."""

import hashlib
import io
import zipfile

import pytest

from halftone.adapters.aws.s3 import S3Packages
from halftone.domain.errors import InvalidPackage, NotFound, Unavailable
from halftone.domain.model.archive import digest_of
from halftone.domain.model.manifest import MANIFEST_NAME
from halftone.domain.names import environment_key
from halftone.packaging.folder import build_package
from halftone.testing import MemoryPackages
from tests.contract.adapters.conftest import REGION

SOURCE = """
name: doubler
flavor: python
entry: predict.py
inputs: [{name: x, type: float64}]
outputs: [{name: y, type: float64}]
samples:
  - instances: [{x: 1.5}]
    predictions: [{y: 3}]
"""
NOWHERE = "0" * 64


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A sound package, built."""
    folder = tmp_path_factory.mktemp("doubler")
    (folder / "predict.py").write_text("def run(instances):\n    return instances\n")
    (folder / "model.yaml").write_text(SOURCE)
    return build_package(folder)


@pytest.fixture
def s3(aws):
    """S3 with the deploying person's bucket and Halftone's own, both empty."""
    client = aws("s3")
    for bucket in ("assets", "artifacts"):
        client.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    return client


def kept(s3):
    """What Halftone's own bucket holds."""
    reply = s3.list_objects_v2(Bucket="artifacts").get("Contents", [])
    return {o["Key"]: s3.get_object(Bucket="artifacts", Key=o["Key"])["Body"].read() for o in reply}


@pytest.fixture(params=["in memory", "on S3"])
def packages(request, package):
    """The port, with ``package`` offered at assets/model.zip."""
    if request.param == "in memory":
        offered = {("assets", "model.zip"): (package.digest, package.manifest)}
        return MemoryPackages(offered)
    s3 = request.getfixturevalue("s3")
    s3.put_object(Bucket="assets", Key="model.zip", Body=package.data)
    return S3Packages(s3, "artifacts")


def test_a_sound_package_is_kept_with_its_manifest(packages, package):
    assert packages.register("assets", "model.zip", package.digest) == package.manifest
    assert packages.manifest(package.digest) == package.manifest


def test_keeping_it_twice_keeps_it_once(packages, package):
    first = packages.register("assets", "model.zip", package.digest)
    assert packages.register("assets", "model.zip", package.digest) == first
    assert packages.manifest(package.digest) == first


def test_another_digest_than_was_declared_is_refused(packages, package):
    with pytest.raises(InvalidPackage, match=f"digest is '{NOWHERE}', expected {package.digest}"):
        packages.register("assets", "model.zip", NOWHERE)
    for digest in (NOWHERE, package.digest):
        with pytest.raises(NotFound):
            packages.manifest(digest)


def test_what_is_not_there_is_named(packages):
    with pytest.raises(NotFound, match=r"no package 's3://assets/other\.zip'"):
        packages.register("assets", "other.zip", NOWHERE)
    with pytest.raises(NotFound, match=f"no package '{NOWHERE}'"):
        packages.manifest(NOWHERE)


def test_the_zip_is_kept_byte_for_byte_beside_its_manifest(s3, package):
    s3.put_object(Bucket="assets", Key="model.zip", Body=package.data)
    for _ in range(2):
        S3Packages(s3, "artifacts").register("assets", "model.zip", package.digest)
        assert kept(s3) == {
            f"packages/{package.digest}.zip": package.data,
            f"packages/{package.digest}.json": package.manifest.to_json(),
        }


def without_manifest():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("predict.py", "")
    return buffer.getvalue()


def with_broken_manifest():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("predict.py", "")
        archive.writestr(MANIFEST_NAME, '{"name": "Not A Name"}')
    return buffer.getvalue()


@pytest.mark.parametrize("make", [without_manifest, with_broken_manifest, lambda: b"no zip"])
def test_of_an_unsound_package_nothing_is_kept(s3, make):
    data = make()
    digest = digest_of(io.BytesIO(data))
    s3.put_object(Bucket="assets", Key="model.zip", Body=data)
    with pytest.raises(InvalidPackage, match=r"s3://assets/model\.zip"):
        S3Packages(s3, "artifacts").register("assets", "model.zip", digest)
    assert kept(s3) == {}


def test_of_a_package_with_another_digest_nothing_is_kept(s3, package):
    s3.put_object(Bucket="assets", Key="model.zip", Body=package.data)
    with pytest.raises(InvalidPackage):
        S3Packages(s3, "artifacts").register("assets", "model.zip", NOWHERE)
    assert kept(s3) == {}


def test_a_manifest_that_can_be_read_has_its_zip(s3, package):
    s3.put_object(Bucket="assets", Key="model.zip", Body=package.data)
    s3.meta.events.register("before-call.s3.PutObject", refuse_manifests(s3))
    packages = S3Packages(s3, "artifacts")
    with pytest.raises(Unavailable, match="SlowDown"):
        packages.register("assets", "model.zip", package.digest)
    assert kept(s3).keys() == {f"packages/{package.digest}.zip"}
    with pytest.raises(NotFound):
        packages.manifest(package.digest)


def refuse_manifests(s3):
    def refuse(params, **_):
        if params["url_path"].endswith(".json"):
            answer = {"Error": {"Code": "SlowDown", "Message": "slow down"}}
            raise s3.exceptions.ClientError(answer, "PutObject")

    return refuse


@pytest.mark.parametrize("code", ["AccessDenied", "InternalError", "NoSuchBucket"])
def test_s3_at_fault_is_unavailable(stubbed, code):
    client, stubber = stubbed("s3")
    packages = S3Packages(client, "artifacts")
    stubber.add_client_error("get_object", code)
    with pytest.raises(Unavailable, match=code):
        packages.register("assets", "model.zip", NOWHERE)
    stubber.add_client_error("get_object", code)
    with pytest.raises(Unavailable, match=code):
        packages.manifest(NOWHERE)


ENVIRONMENT = b"the zip of an environment"
ENVIRONMENT_DIGEST = hashlib.sha256(ENVIRONMENT).hexdigest()


@pytest.fixture(params=["in memory", "on S3"])
def stage_packages(request):
    """The port, with an environment offered at assets/environment.zip."""
    if request.param == "in memory":
        place = ("assets", "environment.zip")
        return MemoryPackages(environments_offered={place: ENVIRONMENT_DIGEST})
    s3 = request.getfixturevalue("s3")
    s3.put_object(Bucket="assets", Key="environment.zip", Body=ENVIRONMENT)
    return S3Packages(s3, "artifacts")


def test_an_environment_is_kept_once_for_all(stage_packages):
    assert not stage_packages.has_environment(ENVIRONMENT_DIGEST)
    stage_packages.keep_environment("assets", "environment.zip", ENVIRONMENT_DIGEST)
    assert stage_packages.has_environment(ENVIRONMENT_DIGEST)
    stage_packages.keep_environment("assets", "environment.zip", ENVIRONMENT_DIGEST)
    assert not stage_packages.has_environment(NOWHERE)


def test_another_environment_than_was_declared_is_refused(stage_packages):
    with pytest.raises(InvalidPackage, match="digest"):
        stage_packages.keep_environment("assets", "environment.zip", NOWHERE)
    assert not stage_packages.has_environment(NOWHERE)


def test_an_environment_that_is_not_there_is_named(stage_packages):
    with pytest.raises(NotFound, match=r"other\.zip"):
        stage_packages.keep_environment("assets", "other.zip", ENVIRONMENT_DIGEST)


def test_a_kept_environment_is_where_model_functions_fetch_it(s3):
    s3.put_object(Bucket="assets", Key="environment.zip", Body=ENVIRONMENT)
    S3Packages(s3, "artifacts").keep_environment("assets", "environment.zip", ENVIRONMENT_DIGEST)
    assert kept(s3) == {environment_key(ENVIRONMENT_DIGEST): ENVIRONMENT}
