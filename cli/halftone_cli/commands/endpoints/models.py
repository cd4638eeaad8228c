"""``halftone models …``: the registry of models, their versions and what is said of them."""

import re
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.names import checked_name
from halftone.packaging.yaml import read_yaml
from halftone_cli.commands.changing import MessageOption
from halftone_cli.console import note, one_line, say_json, show, stamped, table
from halftone_cli.control.api import Json
from halftone_cli.stage.session import Session

_VERSION = re.compile(r"(?P<model>[a-z][a-z0-9-]*):(?P<number>[1-9][0-9]{0,8})")

VersionArgument = Annotated[
    str, typer.Argument(metavar="MODEL:NUMBER", help="A model's version.", show_default=False)
]


def list_models(session: Session) -> None:
    """List the registry's models with their aliases.

    \b
    Examples:
      halftone models list
    """
    found = list(session.control.items("/models"))
    if session.as_json:
        say_json({"models": found})
        return
    if not found:
        note("nothing is registered yet: each release registers its package")
        return
    made = table("model", "newest", "champion", "challenger", "owner")
    for each in found:
        aliases = (str(each["aliases"].get(name, "-")) for name in ("champion", "challenger"))
        made.add_row(each["name"], str(each["newest"]), *aliases, each["owner"] or "-")
    show(made)


def show_model(
    session: Session,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL[:NUMBER|@ALIAS]",
            help="All versions of a model, or one of them in full.",
            show_default=False,
        ),
    ],
) -> None:
    """Show a model's versions, or one of them in full.

    \b
    Examples:
      halftone models show fraud-model
      halftone models show fraud-model:7
      halftone models show fraud-model@champion --json
    """
    name, mark, which = _split(model)
    path = f"/models/{checked_name('MODEL', name)}"
    if mark:
        _tell(session, session.control.get(f"{path}/{_KINDS[mark]}/{which}"))
        return
    found = list(session.control.items(f"{path}/versions"))
    if session.as_json:
        say_json({"model": name, "versions": found})
        return
    made = table("version", "validation", "aliases", "digest", "registered", "description")
    for each in found:
        made.add_row(
            each["name"],
            each["validation_status"],
            ", ".join(each["aliases"]) or "-",
            each["digest"][:12],
            stamped(each["registered_at"]),
            one_line(each["description"]) or "-",
        )
    show(made)


def tag_model(
    session: Session,
    version: VersionArgument,
    tags: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=TEXT]...",
            help="Tags, validation_status among them; without a text one is taken away.",
            show_default=False,
        ),
    ] = None,
    *,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="A metric, such as auc=0.91.", show_default=False),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A parameter, its value in YAML.", show_default=False
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Say something of a model's version: tags, metrics, parameters.

    \b
    Examples:
      halftone models tag fraud-model:7 validation_status=PASSED
      halftone models tag fraud-model:7 --metric auc=0.91 --parameter depth=3
    """
    path = _version_path(version)
    if not (tags or metric or parameter):
        raise InvalidInput("NAME=TEXT", None, "a tag, a --metric or a --parameter")
    body: Json = {"tags": {name: text or None for name, text in map(_pair, tags or ())}}
    if metric:
        body["metrics"] = dict(map(_value, metric))
    if parameter:
        body["parameters"] = dict(map(_value, parameter))
    seen = session.control.read(path)
    _tell(session, session.control.patch(path, {**body, "message": message}, etag=seen.etag).json)


def alias_model(
    session: Session,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model.", show_default=False)],
    alias: Annotated[
        str,
        typer.Argument(
            metavar="ALIAS", help="Either of champion and challenger.", show_default=False
        ),
    ],
    number: Annotated[
        str,
        typer.Argument(metavar="NUMBER|none", help="Which version it means.", show_default=False),
    ],
    *,
    message: MessageOption = "",
) -> None:
    """Point an alias of a model at one of its versions.

    \b
    Examples:
      halftone models alias fraud-model challenger 7
    """
    if number != "none" and not number.isdecimal():
        raise InvalidInput("NUMBER", number, "a version's number, or none")
    path = f"/models/{checked_name('MODEL', model)}"
    seen = session.control.read(path)
    body = {"number": None if number == "none" else int(number), "message": message}
    found = session.control.put(f"{path}/aliases/{alias}", body, etag=seen.etag).json
    if session.as_json:
        say_json(found)
        return
    pointing = ", ".join(f"{name} is {model}:{n}" for name, n in found["aliases"].items())
    show(one_line(f"{model}: {pointing or 'no alias'}"))


def register_model(
    session: Session,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model.", show_default=False)],
    digest: Annotated[
        str,
        typer.Argument(
            metavar="DIGEST",
            help="The digest of a package that was released or uploaded before.",
            show_default=False,
        ),
    ],
    *,
    message: MessageOption = "",
) -> None:
    """Register a package as a model's next version; each release does so by itself.

    \b
    Examples:
      halftone models register fraud-model $DIGEST
    """
    path = f"/models/{checked_name('MODEL', model)}/versions"
    _tell(session, session.control.post(path, {"digest": digest, "message": message}).json)


_KINDS = {":": "versions", "@": "aliases"}


def _split(model: str) -> tuple[str, str, str]:
    for mark in _KINDS:
        name, found, which = model.partition(mark)
        if found:
            if not re.fullmatch(r"[a-z0-9]+", which):
                raise NotFound("model", model, "write it as name:number or name@alias")
            return name, found, which
    return model, "", ""


def _version_path(version: str) -> str:
    found = _VERSION.fullmatch(version)
    if not found:
        raise InvalidInput("MODEL:NUMBER", version, "a model's version, such as fraud-model:7")
    return f"/models/{found['model']}/versions/{found['number']}"


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise InvalidInput("NAME=VALUE", word, "a name and a value, such as team=risk")
    return name, value


def _value(word: str) -> tuple[str, object]:
    name, value = _pair(word)
    try:
        return name, read_yaml(value)
    except InvalidInput as error:
        raise InvalidInput(name, value, f"{error.expected} ({error.value})") from None


def _tell(session: Session, found: Json) -> None:
    if session.as_json:
        say_json(found)
        return
    told = {n: stamped(v) if v and n.endswith("_at") else v for n, v in found.items()}
    for name, value in told.items():
        if value not in (None, "", [], {}):
            show(f"{name.replace('_', ' '):<18} {one_line(_shown(value))}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={inner}" for name, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
