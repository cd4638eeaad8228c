"""The zip of a model package: it is refused by name, or is safe to unpack and as it states."""

import io
from pathlib import PurePosixPath

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.archive import MAX_UNZIPPED, check_content, inspect, unpack
from halftone.domain.model.manifest_schema import manifest_from_json


def check(data: bytes) -> None:
    """Whatever is taken holds what its entries state, has plain names, and a manifest."""
    try:
        archive, manifest = inspect(io.BytesIO(data), source="package")
        check_content(archive, source="package")
    except InvalidPackage as error:
        assert error.source.startswith("package")  # noqa: PT017 - no test, a target
        str(error).encode()
        return
    assert manifest_from_json(manifest.to_json()) == manifest
    assert sum(entry.file_size for entry in archive.infolist()) <= MAX_UNZIPPED
    for entry in archive.infolist():
        content = io.BytesIO()
        unpack(archive, entry, content, source="package")
        assert len(content.getvalue()) == entry.file_size
        path = PurePosixPath(entry.filename)
        assert not path.is_absolute()
        assert ".." not in path.parts
        entry.filename.encode()
