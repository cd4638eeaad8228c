"""Presigned leave to upload a package to the artifact bucket."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from halftone.adapters.aws import translated
from halftone.domain.names import upload_key
from halftone.service.control_ports import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
