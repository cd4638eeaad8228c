"""Model packages in the artifact bucket, under their digest."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from halftone.adapters.aws import translated
from halftone.domain.archive import check_content, inspect
from halftone.domain.errors import InvalidPackage, NotFound
from halftone.domain.names import manifest_key, package_key
from halftone.domain.package import Manifest
from halftone.domain.package_form import manifest_from_json

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
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise InvalidPackage("digest", digest, f"{found}, the SHA-256 of s3://{bucket}/{key}")
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
            found = self._s3.get_object(Bucket=self._bucket, Key=manifest_key(digest))
            body = found["Body"].read()
        return manifest_from_json(body)
