"""Takes a package to its stage, with its environment where that is not there yet."""

import uuid

from halftone.domain.errors import Unavailable
from halftone.packaging.environment import kept_archive
from halftone.packaging.folder import BuiltPackage
from halftone_cli.console import note
from halftone_cli.control.api import Json
from halftone_cli.stage.session import Session


def upload(session: Session, endpoint: str, built: BuiltPackage) -> None:
    """Upload a package, and the environment that it needs unless the stage has it.

    Raises:
        Unavailable: if the environment is neither in the stage nor on this machine.
    """
    _upload_environment(session, endpoint, built)
    leave = _leave(session, endpoint, {"digest": built.digest})
    note(f"uploading {built.ref}, {len(built.data)} bytes")
    session.stage.upload(leave["url"], leave["headers"], built.data)


def _upload_environment(session: Session, endpoint: str, built: BuiltPackage) -> None:
    environment = built.manifest.environment
    if environment is None:
        return
    named = f"environment {environment.digest[:12]}"
    leave = _leave(session, endpoint, {"digest": environment.digest, "environment": True})
    if leave["stored"]:
        note(f"{named} is stored already")
        return
    archive = built.environment.archive if built.environment else kept_archive(environment)
    if archive is None:
        raise Unavailable(f"{named} was not built on this machine: release the package's folder")
    note(f"uploading {named}, {archive.stat().st_size} bytes")
    session.stage.upload(leave["url"], leave["headers"], archive.read_bytes())


def _leave(session: Session, endpoint: str, wanted: Json) -> Json:
    # Leave to upload changes nothing: it is asked for anew each time, because it is not kept.
    part = f"upload-{uuid.uuid4().hex[:8]}"
    path = f"/endpoints/{endpoint}/uploads"
    answer: Json = session.control.post(path, wanted, part=part, changes=False).json
    return answer
