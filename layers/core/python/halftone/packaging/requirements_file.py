"""Requirements files: what may stand in them, and on which line."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from halftone.domain.errors import InvalidPackage
from halftone.packaging.yaml import read_yaml

_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(.*)")
_HASH = re.compile(r"--hash[=\s](\S+)")
_INCLUDES = ("-r", "--requirement", "-c", "--constraint")
_INDEXES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index")
_HARMLESS = (*_INDEXES, "--pre", "--prefer-binary", "--only-binary", "--require-hashes")
_SOURCE_ENDS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")


@dataclass(frozen=True)
class Requirement:
    """One requirement: ``name`` is normalized (PEP 503), ``line`` is its first line's number."""

    name: str
    text: str
    line: int
    file: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Requirements:
    """What a requirements file says, with those that it includes.

    ``indexes`` are its options that say where packages come from, as arguments of a command.
    ``content`` is the text of all files, and ``effective`` what is resolved in place of the file:
    None where that is the file itself.
    """

    requirements: tuple[Requirement, ...]
    indexes: tuple[str, ...]
    content: str
    effective: str | None = None

    def named(self, name: str) -> Requirement | None:
        """The requirement of that package."""
        wanted = normalized(name)
        return next((each for each in self.requirements if each.name == wanted), None)


def normalized(name: str) -> str:
    """A package's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirements(folder: Path, name: str) -> Requirements:
    """The requirements in the file ``name`` of ``folder``.

    Raises:
        InvalidPackage: naming the file and the line that can't be installed from wheels alone.
    """
    if not name.endswith((".yaml", ".yml")):
        return _slim(_read(folder, name, ()))
    lines = _pip_part(folder, name)
    requirements = [_requirement(line, at, name, str(folder)) for at, line in lines]
    content = "\n".join(line for _, line in lines)
    return _slim(Requirements(tuple(requirements), (), content, content))


def _slim(read: Requirements) -> Requirements:
    """``mlflow`` brings a web server and charts: what loads a model is in ``mlflow-skinny``."""
    mlflow = read.named("mlflow")
    if mlflow is None:
        return read
    skinny = re.sub(r"^mlflow\b", "mlflow-skinny", mlflow.text, flags=re.IGNORECASE)
    lines = [skinny if each is mlflow else each.text for each in read.requirements]
    # MLflow hands frames to models, and its small package does not ask for pandas.
    lines += [] if read.named("pandas") else ["pandas"]
    lines += [" ".join(read.indexes[i : i + 2]) for i in range(0, len(read.indexes), 2)]
    return replace(read, effective="\n".join(lines))


def _pip_part(folder: Path, name: str) -> list[tuple[int, str]]:
    """The lines of pip in an environment of conda, each with its number."""
    path = folder / name
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    value = read_yaml(text.encode()) if text else None
    parts = value.get("dependencies") if isinstance(value, dict) else None
    pip = [part["pip"] for part in parts or () if isinstance(part, dict) and "pip" in part]
    if not pip or not isinstance(pip[0], list):
        expected = "an environment of conda with a part `pip` among its dependencies"
        raise InvalidPackage("requirements", name, expected, source=str(folder))
    lines = text.splitlines()
    numbered = []
    for entry in map(str, pip[0]):
        at = next((i for i, line in enumerate(lines, start=1) if entry in line), 1)
        numbered.append((at, entry))
    return numbered


def _read(folder: Path, name: str, above: tuple[str, ...]) -> Requirements:
    path = folder / name
    inside = path.resolve().is_relative_to(folder.resolve())
    if not inside or not path.is_file() or name in above:
        raise InvalidPackage("requirements", name, f"a file in {folder}", source=str(folder))
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidPackage("requirements", str(error), "a text file", source=str(path)) from None
    requirements: list[Requirement] = []
    indexes: list[str] = []
    contents = [content]
    for number, line in _logical_lines(content):
        option, _, value = line.replace("=", " ", 1).partition(" ")
        if option in _INCLUDES:
            inner = _read(folder, value.strip(), (*above, name))
            requirements += inner.requirements if option in _INCLUDES[:2] else ()
            indexes += inner.indexes
            contents.append(inner.content)
        elif line.startswith("-") and option in _HARMLESS:
            if option in _INDEXES:
                indexes += [option, value.strip()] if value.strip() else [option]
        else:
            requirements.append(_requirement(line, number, name, str(folder)))
    return Requirements(tuple(requirements), tuple(indexes), "\n".join(contents))


def _logical_lines(content: str) -> list[tuple[int, str]]:
    """Lines without comments, with those joined that end in a backslash; each with its number."""
    lines: list[tuple[int, str]] = []
    start, text = 0, ""
    for number, physical in enumerate(content.splitlines(), start=1):
        if not text:
            start = number
        part = re.sub(r"(^|\s)#.*$", "", physical).rstrip()
        if part.endswith("\\"):
            text += part[:-1] + " "
            continue
        if (text + part).strip():
            lines.append((start, (text + part).strip()))
        text = ""
    if text.strip():
        lines.append((start, text.strip()))
    return lines


def _requirement(line: str, number: int, file: str, folder: str) -> Requirement:
    hashes = tuple(_HASH.findall(line))
    text = re.split(r"\s--", line)[0].strip()

    def refused(expected: str) -> InvalidPackage:
        return InvalidPackage("requirements", f"{file}:{number}: {text}", expected, source=folder)

    if text.startswith("-"):
        raise refused("a package with its version: only wheels of a package index are installed")
    match = _NAME.fullmatch(text)
    rest = match[2] if match else ""
    _, at, url = rest.partition("@")
    path = (
        url.strip().split("#")[0].split(";")[0].strip()
        if at and not rest.startswith(("=", "<", ">", "~", "!", ";"))
        else ""
    )
    local = match is None or text.startswith((".", "/")) or "://" in text.split("@")[0]
    if local or (text.endswith((".whl", *_SOURCE_ENDS)) and not path):
        raise refused("a package by its name: build a wheel and put it on a package index")
    if path and not path.endswith(".whl"):
        why = "a wheel (.whl): a source distribution or a repository would have to be built"
        raise refused(why)
    assert match is not None  # noqa: S101
    return Requirement(normalized(match[1]), text, number, file, hashes)
