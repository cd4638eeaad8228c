"""Where packages and environments come from: the artifact bucket, or a folder laid out like it."""

import shutil
from pathlib import Path
from typing import BinaryIO, Protocol

from halftone.domain.errors import NotFound, Unavailable


class Artifacts(Protocol):
    """A source of zips."""

    def fetch(self, key: str, target: BinaryIO) -> None:
        """Write the zip that is kept under ``key`` to ``target``, unchecked.

        Raises:
            NotFound: if there is none.
            Unavailable: if the source did not answer.
        """
        ...


class BucketArtifacts:
    """The artifact bucket, read with the function's own role."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def fetch(self, key: str, target: BinaryIO) -> None:
        """See Artifacts."""
        # Imported here: a server that has its package on disk already needs no AWS at all.
        import boto3  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            answer = boto3.client("s3").get_object(Bucket=self._bucket, Key=key)
            shutil.copyfileobj(answer["Body"], target, 1 << 20)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "404"):
                raise NotFound("package", key, f"s3://{self._bucket}/{key} is empty") from error
            raise Unavailable(f"reading s3://{self._bucket}/{key}: {code}") from error
        except (BotoCoreError, OSError) as error:
            raise Unavailable(f"reading s3://{self._bucket}/{key}: {error}") from error


class FolderArtifacts:
    """A folder with the bucket's layout: ``packages/{digest}.zip``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def fetch(self, key: str, target: BinaryIO) -> None:
        """See Artifacts."""
        path = self._root / key
        try:
            with path.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
        except FileNotFoundError as error:
            raise NotFound("package", key, f"there is no {path}") from error
        except OSError as error:
            raise Unavailable(f"reading {path}: {error.strerror}") from error
