"""From a folder with ``model.yaml`` to a model package: the one place where packages are made.

The same content gives the same bytes on any machine: entries are sorted, and times, modes and the
compression are fixed, so that the SHA-256 of the zip can be the package's name. Synth, CLI and
tests all come here; only YAML and the local disk are touched.
"""

import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.domain.model.archive import check_content, digest_of, inspect, refuse_pickle
from halftone.domain.model.manifest import MANIFEST_NAME, SOURCE_NAME, Flavor, Manifest, PackageRef
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.target import Target
from halftone.packaging import mlflow_folder
from halftone.packaging.environment import BuiltEnvironment, Tell, build_environment
from halftone.packaging.yaml import read_yaml

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can state
_MODE = 0o100644  # a regular file that everyone may read
_UNIX = 3
_INSTEAD = {
    "endpoint.yaml": "the folder below it that the `model` of its endpoint.yaml names",
    "model.yml": f"the name {SOURCE_NAME} in place of model.yml",
}


@dataclass(frozen=True)
class BuiltPackage:
    """A package as it is stored: its name and digest, its manifest, and the zip itself.

    ``environment`` is what its requirements were built to; None without requirements, and of a zip
    that was built elsewhere. ``warnings`` are about what was probably meant otherwise.
    """

    ref: PackageRef
    manifest: Manifest
    data: bytes
    environment: BuiltEnvironment | None = None
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of ``data``, 64 hex digits."""
        return self.ref.digest


_DEFAULT = Target()
_EXPECTED = f"a folder with {SOURCE_NAME}, or a built zip"


def open_package(
    path: Path, target: Target = _DEFAULT, *, tell: Tell = lambda _: None
) -> BuiltPackage:
    """The package at ``path``: a folder, which is built, or a zip that was built before.

    ``target`` is what an environment is built for, and ``tell`` takes a line before what takes
    long.

    Raises:
        InvalidPackage: naming the file, the field and the value at fault.
    """
    if path.is_dir():
        return build_package(path, target, tell=tell)
    try:
        return _checked(path.read_bytes(), source=str(path))
    except OSError as error:
        raise InvalidPackage("package", error.strerror, _EXPECTED, source=str(path)) from None


def build_package(
    folder: Path, target: Target = _DEFAULT, *, tell: Tell = lambda _: None
) -> BuiltPackage:
    """The package made of ``folder``; see ``open_package``.

    Left out are what starts with a dot, ``__pycache__``, and ``model.yaml``, in whose place stands
    the manifest as JSON. ``samples`` may name a JSON file of the folder, which is read in. A
    directory saved by MLflow is a package's folder, too, with or without a ``model.yaml``.

    Raises:
        InvalidPackage: naming the file, the field and the value at fault.
        Unavailable: if an environment must be built, and what that needs is not there.
    """
    source = folder / SOURCE_NAME
    saved = mlflow_folder.MLMODEL if not source.exists() else None
    if saved and (folder / saved).is_file():
        declared: Any = {"flavor": "mlflow"}
    else:
        declared = _with_samples(folder, _read_yaml(source))
    left_out: set[str] = set()
    if isinstance(declared, dict) and declared.get("flavor") == "mlflow":
        below = PurePosixPath(str(declared.get("entry", mlflow_folder.MLMODEL))).parent
        left_out = {str(below / name) for name in mlflow_folder.NOTES}
        declared = mlflow_folder.resolve(folder, declared)
    manifest = load_manifest(declared, source=str(source))
    if manifest.environment is not None:
        given = manifest.environment.digest
        expected = "nothing: it is built from the file that `requirements` names"
        raise InvalidPackage("environment", given, expected, source=str(source))
    if manifest.flavor is Flavor.PYFUNC and manifest.allow_pickle:
        mlflow_folder.check_python(folder / manifest.entry, target)
    built = _environment(folder, manifest, target, tell)
    if built is not None:
        manifest = replace(manifest, environment=built.environment)
    files = {str(path.relative_to(folder).as_posix()): path for path in _files(folder)}
    files = {
        name: path
        for name, path in files.items()
        if name not in left_out and not (name.endswith(".lock") and _is_lock(name, manifest))
    }
    for field in ("entry", "preprocess"):
        name = getattr(manifest, field)
        if name is not None and name not in files and manifest.flavor is not Flavor.PYFUNC:
            raise InvalidPackage(field, name, f"a file in {folder}", source=str(source))
    content = {name: path.read_bytes() for name, path in files.items()}
    for name, data in content.items():
        refuse_pickle(name, data[:2], manifest, source=str(folder))
    if manifest.flavor is Flavor.PYFUNC:
        content[manifest.entry] = mlflow_folder.lasting_mlmodel(folder / manifest.entry)
    content[MANIFEST_NAME] = manifest.to_json()
    if built is not None:
        # With the package goes what its environment can be built of again.
        content[built.lock_file] = built.lock.encode()
    package = _checked(_zip(content), source=str(folder))
    return replace(package, environment=built, warnings=_warnings(folder, manifest))


_USUAL = ("requirements.txt", "conda.yaml", "environment.yml", "environment.yaml", "pyproject.toml")


def _warnings(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """What the folder has that its author may think is installed, and is not."""
    if manifest.requirements is not None:
        return ()
    unnamed = next((name for name in _USUAL if (folder / name).is_file()), None)
    if unnamed is None:
        return ()
    return (
        (
            f"{folder / unnamed} is not installed: write `requirements: requirements.txt` in"
            f" {SOURCE_NAME} to have its packages beside the model"
        ),
    )


def _is_lock(name: str, manifest: Manifest) -> bool:
    return manifest.requirements is not None and name.startswith(
        manifest.requirements.rpartition(".")[0]
    )


def _environment(
    folder: Path, manifest: Manifest, target: Target, tell: Tell
) -> BuiltEnvironment | None:
    if manifest.requirements is None:
        return None
    return build_environment(folder, manifest.requirements, manifest.flavor, target, tell=tell)


def _checked(data: bytes, *, source: str) -> BuiltPackage:
    file = io.BytesIO(data)
    archive, manifest = inspect(file, source=source)
    check_content(archive, source=source)
    return BuiltPackage(PackageRef(manifest.name, digest_of(file)), manifest, data)


def _read_yaml(source: Path) -> Any:
    try:
        return read_yaml(source.read_bytes())
    except FileNotFoundError:
        problem = f"a folder without {SOURCE_NAME}"
        near = next((n for n in _INSTEAD if (source.parent / n).is_file()), "")
        expected = _INSTEAD.get(near, _EXPECTED)
        raise InvalidPackage("package", problem, expected, source=str(source.parent)) from None
    except OSError as error:
        raise InvalidPackage(SOURCE_NAME, error.strerror, "a file", source=str(source)) from None
    except InvalidInput as error:
        raise InvalidPackage(error.field, error.value, error.expected, source=str(source)) from None


def _with_samples(folder: Path, declared: Any) -> Any:
    name = declared.get("samples") if isinstance(declared, dict) else None
    if not isinstance(name, str):
        return declared
    source = folder / SOURCE_NAME
    if Path(name).name != name or not (folder / name).is_file():
        raise InvalidPackage("samples", name, f"a list, or a file in {folder}", source=str(source))
    try:
        samples = json.loads((folder / name).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidPackage("samples", str(error), "JSON", source=str(folder / name)) from None
    return {**declared, "samples": samples}


def _files(folder: Path) -> list[Path]:
    paths = []
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if "__pycache__" in inner.parts or any(part.startswith(".") for part in inner.parts):
            continue
        if path.is_symlink():
            raise InvalidPackage("file", str(inner), "no link", source=str(folder))
        if path.is_file() and str(inner) not in (SOURCE_NAME, MANIFEST_NAME):
            paths.append(path)
    return paths


def _zip(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, date_time=_EARLIEST)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            # Stored, not deflated: zlib's output differs between its versions and forks.
            entry.compress_type = zipfile.ZIP_STORED
            archive.writestr(entry, content[name])
    return buffer.getvalue()
