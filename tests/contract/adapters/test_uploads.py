"""Leave to upload: to one place, and for the bytes of one digest."""

import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from halftone.adapters.aws.clients import SIGNING
from halftone.adapters.aws.s3 import S3Uploads
from halftone.testing import MemoryUploads
from tests.support.rollouts import START

DATA = b"a package"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(params=["in memory", "on S3"])
def uploads(request):
    if request.param == "in memory":
        return MemoryUploads()
    return S3Uploads(request.getfixturevalue("aws")("s3"), "artifacts")


def test_leave_is_for_the_place_of_the_digest_and_ends(uploads):
    leave = uploads.prepare(DIGEST, START)
    assert (leave.bucket, leave.key) == uploads.place(DIGEST)
    assert DIGEST in leave.key
    assert START < leave.expires_at <= START + timedelta(hours=1)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1"])
def test_the_signature_holds_the_digest(region):
    """S3 refuses other bytes than the checksum's, and a request without the signed header."""
    fields = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", region_name=region, config=SIGNING, **fields)
    leave = S3Uploads(client, "artifacts").prepare(DIGEST, START)
    checksum = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert leave.headers == {"x-amz-checksum-sha256": checksum}
    query = parse_qs(urlsplit(leave.url).query)
    assert "x-amz-checksum-sha256" in query["X-Amz-SignedHeaders"][0].split(";")
    assert query["X-Amz-Expires"] == ["900"]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "eu-south-2", "ap-southeast-5"])
def test_an_upload_goes_to_the_bucket_s_address_in_its_region(region):
    leave = S3Uploads(signing(region), "artifacts").prepare(DIGEST, START)
    assert urlsplit(leave.url).hostname == f"artifacts.s3.{region}.amazonaws.com"
    assert f"%2F{region}%2Fs3%2F" in leave.url


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_an_upload_in_china_goes_to_its_partition(region):
    leave = S3Uploads(signing(region), "artifacts").prepare(DIGEST, START)
    assert urlsplit(leave.url).hostname == f"artifacts.s3.{region}.amazonaws.com.cn"


def test_a_local_upload_names_the_bucket_in_the_path():
    client = signing("us-east-1", endpoint_url="http://127.0.0.1:4566")
    leave = S3Uploads(client, "artifacts").prepare(DIGEST, START)
    assert leave.url.startswith("http://127.0.0.1:4566/artifacts/uploads/")


def signing(region, **more):
    return boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=SIGNING,
        **more,
    )
