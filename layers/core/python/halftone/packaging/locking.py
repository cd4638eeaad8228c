"""From requirements to a lock: exact versions with hashes, for one target and from wheels alone.

The lock is kept beside the requirements file and should be committed. It is made anew when the
requirements or what the layers hold have changed; versions that still fit stay.
"""

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from halftone.domain.errors import InvalidPackage, Unavailable
from halftone.domain.model.target import Target
from halftone.packaging.requirements_file import Requirement, Requirements, normalized
from halftone.packaging.uv_tool import run_uv

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:==([^\s;\\]+)| @ (\S+))", re.MULTILINE)
_YANKED = re.compile(r"`([^`=]+)==([^`]+)` is yanked(?: \(reason: (.*)\))?")
_QUOTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HASH = re.compile(r"--hash=(\S+)")
_HEADER = "# Made by `halftone package` from {name} for {target}. Commit it.\n# of {key}\n"
_OFFLINE = ("dns error", "failed to fetch", "error sending request", "connection", "offline")


@dataclass(frozen=True)
class Pin:
    """A package at one version, with its line and hashes in the lock."""

    name: str
    version: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Lock:
    """What is installed: ``pins`` go into the environment, ``provided`` are the layers' already."""

    pins: tuple[Pin, ...]
    provided: tuple[Pin, ...]

    @property
    def content(self) -> str:
        """The requirements of the environment, which is all that it depends on."""
        return "".join(f"{pin.text}\n" for pin in self.pins)


def lock_name(requirements: str, target: Target) -> str:
    """The name of the lock of a requirements file."""
    stem = requirements.rpartition(".")[0]
    return f"{stem}.{target.runtime}-{target.architecture}.lock"


@dataclass(frozen=True)
class Sources:
    """What a lock is made of.

    ``name`` is the requirements file in ``folder``. ``layer`` is the lock of the function's layer,
    whose versions are taken where they fit, and ``server`` the lock of what the model server itself
    imports, which must fit.
    """

    folder: Path
    name: str
    requirements: Requirements
    target: Target
    layer: Path
    server: Path

    @property
    def path(self) -> Path:
        """Where the lock is kept."""
        return self.folder / lock_name(self.name, self.target)

    @property
    def key(self) -> str:
        """A hash of all of it, by which a lock is known to be its own."""
        parts = (self.requirements.content, self.target, self.layer, self.server)
        texts = [part.read_text() if isinstance(part, Path) else str(part) for part in parts]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def locked(sources: Sources) -> Lock:
    """The lock, made if it is not there or not of these sources.

    Raises:
        InvalidPackage: naming the line that can't be installed.
        Unavailable: if no package index answers.
    """
    path, key = sources.path, sources.key
    if not path.is_file() or f"# of {key}\n" not in path.read_text(encoding="utf-8"):
        body = _compiled(sources)
        header = _HEADER.format(name=sources.name, target=sources.target, key=key)
        path.write_text(header + body, encoding="utf-8")
    provided = pins_of(sources.layer.read_text(), sources.target)
    return _split(path.read_text(encoding="utf-8"), provided, sources.requirements)


def pins_of(text: str, target: Target) -> Mapping[str, str]:
    """The versions that a lock of Halftone's own pins for a target, by name."""
    pins: dict[str, str] = {}
    for line in text.splitlines():
        match = _PIN.match(line)
        if match and match[2] and _applies(line, target):
            pins[normalized(match[1])] = match[2]
    return pins


_MARKER = re.compile(r"python_full_version (<|>=) '(\d+)\.(\d+)'")


def _applies(line: str, target: Target) -> bool:
    python = tuple(map(int, target.python.split(".")))
    for operator, major, minor in _MARKER.findall(line):
        bound = (int(major), int(minor))
        if not (python < bound if operator == "<" else python >= bound):
            return False
    return True


def _compiled(sources: Sources) -> str:
    done = _compile(sources, sources.layer)
    if done.returncode:
        # Another version than the layer's may stand in the environment, where the server does not
        # need it: the environment comes first on the path.
        done = _compile(sources, sources.server)
    if done.returncode:
        raise _refusal(done.stderr, sources)
    yanked = _YANKED.search(done.stderr)
    if yanked:
        where = _line(sources.requirements, [yanked[1]]) or f"{yanked[1]}=={yanked[2]}"
        why = f", because: {yanked[3]}" if yanked[3] else ""
        expected = f"another version: {yanked[1]} {yanked[2]} was yanked from the index{why}"
        raise InvalidPackage("requirements", str(where), expected, source=str(sources.folder))
    return done.stdout


def _compile(sources: Sources, constraints: Path) -> "subprocess.CompletedProcess[str]":
    target = sources.target
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "lock.txt"
        if sources.path.is_file():
            output.write_text(sources.path.read_text(encoding="utf-8"), encoding="utf-8")
        source = sources.folder / sources.name
        if sources.requirements.effective is not None:
            source = Path(scratch) / "requirements.txt"
            source.write_text(sources.requirements.effective, encoding="utf-8")
        done = run_uv(
            *("pip", "compile", str(source)),
            *("--constraint", str(constraints), "--generate-hashes", "--only-binary", ":all:"),
            *("--no-header", "--no-annotate", "--output-file", str(output)),
            *("--python-platform", target.platform, "--python-version", target.python),
            doing=f"resolving {sources.name}",
        )
        if done.returncode == 0:
            done.stdout = output.read_text(encoding="utf-8")
    return done


def _refusal(stderr: str, sources: Sources) -> Exception:
    """The error of a resolution that failed, with the line at fault and a remedy."""
    name, requirements, target = sources.name, sources.requirements, sources.target
    why = " ".join(stderr.split())
    if any(word in why.lower() for word in _OFFLINE):
        return Unavailable(f"resolving {name}: {why[-400:]}: connect to a package index")
    why = why.rpartition("No solution found when resolving dependencies cause: ")[2]
    named = [normalized(word) for word in _QUOTED.findall(why)]
    line = _line(requirements, named)
    shown = str(line) if line else name
    needs = pins_of(sources.server.read_text(), target)
    pinned = (f"{word}=={needs[word]}" for word in named if word in needs)
    taken = next((pin for pin in pinned if pin in why), None)
    if "no usable wheels" in why or "building from source is disabled" in why:
        expected = (
            "a version with a wheel: there is only a source distribution, which would have to be"
            f" built ({_first(why)})"
        )
    elif "has no wheels with a matching" in why:
        expected = f"a version with a wheel for {target} ({_first(why)})"
    elif taken:
        more = "" if line and line.name == taken.partition("==")[0] else f" ({why})"
        expected = f"what goes with {taken}, which the model server itself needs{more}"
    else:
        expected = f"requirements that fit together: {why}"
    return InvalidPackage("requirements", shown, expected, source=str(sources.folder))


def _first(why: str) -> str:
    return re.split(r" hint: |, we can conclude", why)[0]


def _line(requirements: Requirements, names: Iterable[str]) -> Requirement | None:
    """The first requirement that is named, in the order of the names."""
    matches = (requirements.named(name) for name in names)
    return next((match for match in matches if match), None)


def _split(text: str, provided: Mapping[str, str], requirements: Requirements) -> Lock:
    pins, left = [], []
    for pin in _pins(text):
        if provided.get(pin.name) == pin.version or pin.name == "halftone":
            left.append(pin)
        else:
            pins.append(_with_hashes_of(requirements.named(pin.name), pin))
    return Lock(tuple(pins), tuple(left))


def _pins(text: str) -> list[Pin]:
    pins: list[Pin] = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^#.*\n", "", text)):
        match = _PIN.match(block)
        if match:
            version = match[2] or match[3].rsplit("/", 1)[-1].split("-")[1]
            pins.append(Pin(normalized(match[1]), version, block.strip()))
    return pins


def _with_hashes_of(requirement: Requirement | None, pin: Pin) -> Pin:
    """The pin with those hashes alone that its author wrote, if the file has any.

    Raises:
        InvalidPackage: if the index has no file of those hashes.
    """
    if requirement is None or not requirement.hashes:
        return pin
    first = pin.text.split("--hash=")[0].rstrip(" \\\n")
    both = [each for each in requirement.hashes if each in _HASH.findall(pin.text)]
    if not both:
        expected = f"a hash of a file of {pin} on the package index"
        raise InvalidPackage("requirements", str(requirement), expected)
    lines = " \\\n    ".join([first, *(f"--hash={each}" for each in both)])
    return Pin(pin.name, pin.version, lines)
