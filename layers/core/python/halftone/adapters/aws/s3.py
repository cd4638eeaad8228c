"""Model packages, uploads and captured lines in S3 buckets."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import InvalidPackage, NotFound
from halftone.domain.model.archive import check_content, inspect
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.manifest_schema import manifest_from_json
from halftone.domain.names import environment_key, manifest_key, package_key, upload_key
from halftone.ports.control import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Packages:
    """Port ``Packages`` on S3."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def register(self, bucket: str, key: str, digest: str) -> Manifest:
        """See the port. Three calls; the manifest is written last, so that one that can be read has
        its zip.
        """
        missing = NotFound("package", f"s3://{bucket}/{key}")
        with translated(f"reading s3://{bucket}/{key}", {"NoSuchKey": missing}):
            data = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        actual = hashlib.sha256(data).hexdigest()
        if actual != digest:
            raise InvalidPackage("digest", digest, f"{actual}, the SHA-256 of s3://{bucket}/{key}")
        source = f"s3://{bucket}/{key}"
        archive, manifest = inspect(io.BytesIO(data), source=source)
        check_content(archive, source=source)
        with translated(f"storing package {digest[:12]}"):
            self._s3.put_object(Bucket=self._bucket, Key=package_key(digest), Body=data)
            self._s3.put_object(
                Bucket=self._bucket,
                Key=manifest_key(digest),
                Body=manifest.to_json(),
                ContentType="application/json",
            )
        return manifest

    def manifest(self, digest: str) -> Manifest:
        """See the port. One call."""
        missing = NotFound("package", digest)
        with translated(f"reading the manifest of {digest[:12]}", {"NoSuchKey": missing}):
            stored = self._s3.get_object(Bucket=self._bucket, Key=manifest_key(digest))
            body = stored["Body"].read()
        return manifest_from_json(body)

    def has_environment(self, digest: str) -> bool:
        """See the port. One call."""
        with translated(f"looking for environment {digest[:12]}"):
            try:
                self._s3.head_object(Bucket=self._bucket, Key=environment_key(digest))
            except ClientError as error:
                # Without leave to list a bucket, what is not there is forbidden.
                if error.response["Error"]["Code"] in ("404", "403", "NoSuchKey", "AccessDenied"):
                    return False
                raise
        return True

    def keep_environment(self, bucket: str, key: str, digest: str) -> None:
        """See the port. Two calls; S3 itself copies what was checked."""
        missing = NotFound("environment", f"s3://{bucket}/{key}")
        with translated(f"reading s3://{bucket}/{key}", {"NoSuchKey": missing}):
            stored = self._s3.get_object(Bucket=bucket, Key=key)
            sha = hashlib.sha256()
            for chunk in stored["Body"].iter_chunks(1 << 20):
                sha.update(chunk)
        if sha.hexdigest() != digest:
            expected = f"{sha.hexdigest()}, the SHA-256 of s3://{bucket}/{key}"
            raise InvalidPackage("digest", digest, expected)
        with translated(f"storing environment {digest[:12]}"):
            self._s3.copy_object(
                Bucket=self._bucket,
                Key=environment_key(digest),
                CopySource={"Bucket": bucket, "Key": key},
                # What was read just now, and nothing that was put there since.
                CopySourceIfMatch=stored["ETag"],
            )


_LASTS = timedelta(minutes=15)


class S3Uploads:
    """Port ``Uploads`` on S3."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def prepare(self, digest: str, now: datetime) -> Upload:
        """See the port. No call: the signature covers the digest, and S3 refuses other bytes."""
        bucket, key = self.place(digest)
        checksum = base64.b64encode(bytes.fromhex(digest)).decode()
        with translated(f"signing an upload to {key}"):
            url = self._s3.generate_presigned_url(
                "put_object",
                Params={"Bucket": bucket, "Key": key, "ChecksumSHA256": checksum},
                ExpiresIn=int(_LASTS.total_seconds()),
            )
        return Upload(url, {"x-amz-checksum-sha256": checksum}, bucket, key, now + _LASTS)

    def place(self, digest: str) -> tuple[str, str]:
        """See the port."""
        return self._bucket, upload_key(digest)


class S3Files:
    """Port ``Files`` on S3."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def put(self, name: str, data: bytes) -> None:
        """See the port. One call."""
        with translated(f"writing {name}"):
            self._s3.put_object(
                Bucket=self._bucket, Key=name, Body=data, ContentType="application/gzip"
            )
