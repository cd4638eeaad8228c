"""The environment of a model package: the packages of its requirements, as one zip.

It is built for a target from a lock, from wheels alone, with bytecode, and without what the
function's layers hold. Entries are sorted, dated alike and stored: the same lock gives the same
bytes on any machine, whose SHA-256 is the environment's name. Built ones are kept, by their lock
and by their digest.
"""

import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from halftone.domain.errors import InvalidPackage, Unavailable
from halftone.domain.model.environment import MAX_UNZIPPED, Environment
from halftone.domain.model.manifest import Flavor
from halftone.domain.model.target import Target
from halftone.packaging.bytecode import compile_folder
from halftone.packaging.locking import Lock, Pin, Sources, lock_name, locked
from halftone.packaging.places import build_folder, layer_of, lock
from halftone.packaging.pruning import prune
from halftone.packaging.requirements_file import Requirements, read_requirements
from halftone.packaging.uv_tool import install_arguments, run_uv

_FORMAT = 1
"""Part of what a kept build is known by: it changes when the same lock would give other bytes."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_IMPORTED_FROM = "/opt/environment"
"""The folder that compiled files name. Python sets the true one on import."""

Tell = Callable[[str], object]


@dataclass(frozen=True)
class BuiltEnvironment:
    """An environment with its zip.

    ``lock`` is the text of the lock, ``lock_file`` its name in the package's folder. ``provided``
    are packages that the layers have, ``left_out`` the bytes of tests, stubs and scripts, ``sizes``
    bytes by package.
    """

    environment: Environment
    archive: Path
    lock: str
    lock_file: str
    provided: tuple[str, ...]
    left_out: int
    sizes: Mapping[str, int]


def build_environment(
    folder: Path,
    requirements_name: str,
    flavor: Flavor,
    target: Target,
    *,
    tell: Tell = lambda _: None,
    limit: int = MAX_UNZIPPED,
) -> BuiltEnvironment:
    """The environment of the requirements file of a package's folder.

    Its lock is written beside it, unless one that fits is there. ``tell`` takes a line before each
    thing that takes long.

    Raises:
        InvalidPackage: naming the line that can't be installed, or the package that is too large.
        Unavailable: if uv, a package index or a compiler of bytecode is needed, and is not there.
    """
    requirements = read_requirements(folder, requirements_name)
    layer, server = lock(layer_of(flavor)), lock("engine")
    lock_file = lock_name(requirements_name, target)
    if not (folder / lock_file).is_file():
        tell(f"resolving {requirements_name} for {target}")
    found = locked(Sources(folder, requirements_name, requirements, target, layer, server))
    key = hashlib.sha256(f"{_FORMAT} {target}\n{found.content}".encode()).hexdigest()[:24]
    home = build_folder() / "environments"
    kept = home / key
    if not (kept / "facts.json").is_file():
        tell(f"building the environment of {len(found.pins)} packages for {target}")
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, ignore_cleanup_errors=True) as scratch:
            _build(Path(scratch), found, requirements, target)
            _keep(Path(scratch) / "built", kept)
    facts = json.loads((kept / "facts.json").read_text(encoding="utf-8"))
    environment = Environment(
        facts["digest"], target, facts["unzipped"], tuple(map(str, found.pins))
    )
    _check_size(environment, facts["sizes"], requirements, limit, str(folder))
    return BuiltEnvironment(
        environment,
        kept / "environment.zip",
        (folder / lock_file).read_text(encoding="utf-8"),
        lock_file,
        tuple(map(str, found.provided)),
        facts["left_out"],
        facts["sizes"],
    )


def kept_archive(environment: Environment) -> Path | None:
    """The zip of an environment that was built on this machine; None if it was not."""
    for facts in (build_folder() / "environments").glob("*/facts.json"):
        if json.loads(facts.read_text(encoding="utf-8"))["digest"] == environment.digest:
            return facts.with_name("environment.zip")
    return None


def _build(scratch: Path, found: Lock, requirements: Requirements, target: Target) -> None:
    tree, built = scratch / "tree", scratch / "built"
    tree.mkdir()
    built.mkdir()
    if found.pins:
        _install(tree, found, requirements, target)
    names = {pin.name for pin in found.pins}
    # Packages that load their parts by lazy_loader read their stubs when they are imported.
    left_out = prune(tree, stubs="lazy-loader" not in names)
    sizes = _sizes(tree, found.pins)
    compile_folder(tree, target, prefix=_IMPORTED_FROM)
    archive = built / "environment.zip"
    unzipped = _zip(tree, archive)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    facts = {"digest": digest, "unzipped": unzipped, "left_out": left_out, "sizes": sizes}
    (built / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _install(tree: Path, found: Lock, requirements: Requirements, target: Target) -> None:
    file = tree.with_name("lock.txt")
    file.write_text(found.content, encoding="utf-8")
    arguments = install_arguments(tree, python=target.python, platform=target.platform)
    doing = "installing the environment"
    done = run_uv(*arguments, *requirements.indexes, "--requirement", str(file), doing=doing)
    if done.returncode:
        why = " ".join(done.stderr.split())
        line = next((each for each in requirements.requirements if each.name in why), None)
        if line and ("hash" in why.lower() or "wheel" in why.lower()):
            raise InvalidPackage("requirements", str(line), f"a wheel for {target}: {why}")
        raise Unavailable(f"{doing}: {why}")


def _keep(built: Path, kept: Path) -> None:
    try:
        built.rename(kept)
    except OSError:
        # Another process was faster; what it built is the same.
        if not (kept / "facts.json").is_file():
            shutil.rmtree(kept, ignore_errors=True)
            built.rename(kept)


def _sizes(tree: Path, pins: tuple[Pin, ...]) -> dict[str, int]:
    """Bytes by package, from the folders that its metadata name."""
    sizes = dict.fromkeys((pin.name for pin in pins), 0)
    for info in tree.glob("*.dist-info"):
        name = re.sub(r"[-_.]+", "-", info.name.split("-")[0]).lower()
        if name not in sizes:
            continue
        tops = {info.name, info.name.split("-")[0]}
        top_level = info / "top_level.txt"
        if top_level.is_file():
            tops |= {*top_level.read_text(encoding="utf-8").split()}
        tops |= {f"{top}.libs" for top in tops}
        sizes[name] = sum(
            path.stat().st_size
            for top in tops
            if (tree / top).exists()
            for path in ([tree / top] if (tree / top).is_file() else (tree / top).rglob("*"))
            if path.is_file()
        )
    return sizes


def _check_size(
    environment: Environment,
    sizes: Mapping[str, int],
    requirements: Requirements,
    limit: int,
    source: str,
) -> None:
    if environment.unzipped <= limit:
        return
    largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
    line = next((each for name in largest if (each := requirements.named(name))), None)
    parts = ", ".join(f"{name} {sizes[name] / 1e6:.0f} MB" for name in largest)
    expected = f"an environment of at most {limit / 1e6:.0f} MB (the largest parts: {parts})"
    shown = f"{environment.unzipped / 1e6:.0f} MB" + (f", by {line}" if line else "")
    raise InvalidPackage("requirements", shown, expected, source=source)


def _zip(tree: Path, archive: Path) -> int:
    """Write the files of ``tree`` to ``archive``; the sum of their sizes."""
    total = 0
    with zipfile.ZipFile(archive, "x") as out:
        for path in sorted(each for each in tree.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), _EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.file_size = path.stat().st_size
            total += entry.file_size
            # Stored, not deflated: zlib's output differs between its versions and forks.
            with path.open("rb") as source, out.open(entry, "w") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    return total
