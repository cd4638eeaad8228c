"""The options that commands share, and the decorators that give them to a command.

A command is a plain function of the ``Session`` and its own arguments. The shared options may stand
before the command's name as well as after it.
"""

import contextlib
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from halftone.domain.errors import InvalidInput
from halftone_cli.stage.place import DEFAULT_STAGE, LOCAL_STAGE, LOCAL_VARIABLE, STAGE_VARIABLE
from halftone_cli.stage.session import Session

StageOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"The stage to work on; else ${STAGE_VARIABLE}, else {DEFAULT_STAGE}.",
        show_default=False,
    ),
]
LocalOption = Annotated[
    bool,
    typer.Option(
        "--local",
        envvar=LOCAL_VARIABLE,
        show_envvar=False,
        help=f"The local AWS of this checkout (stage {LOCAL_STAGE}); also by ${LOCAL_VARIABLE}=1.",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Act as this AWS profile; locally viewer, releaser, approver, admin, breakglass.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")
]
RequestOption = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Names this request: said again with it, it is not carried out again.",
        show_default=False,
    ),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")]


def endpoint_names(context: typer.Context, incomplete: str) -> list[str]:
    """The stage's endpoints that begin with what was typed, for the shell to complete.

    A shell that completes must not see an error: where the stage does not answer there are none.
    """
    session: Session = context.find_root().obj
    with contextlib.suppress(Exception):
        places: list[Any] = [context]
        while places[0].parent is not None:
            places.insert(0, places[0].parent)
        for given in (place.params for place in places):
            session.said(stage=given.get("stage"), local=bool(given.get("local")))
        return [n for n in session.stage.ports.catalogue.endpoints() if n.startswith(incomplete)]
    return []


EndpointArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENDPOINT",
        help="The endpoint's name.",
        show_default=False,
        autocompletion=endpoint_names,
    ),
]
ONE_VERSION = "Only this version's: its number, its name, champion or challenger."
_OlderMessageOption = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", hidden=True, show_default=False)
]
_SHARED: dict[str, tuple[Any, Any]] = {
    "request": (RequestOption, None),
    "stage": (StageOption, None),
    "local": (LocalOption, False),
    "as_json": (JsonOption, False),
    "debug": (DebugOption, False),
}


def on_stage(function: Callable[..., None]) -> Callable[..., None]:
    """``function`` as a command that works on a stage."""
    return _command(function, ("stage", "local", "as_json", "debug"))


def changes(function: Callable[..., None]) -> Callable[..., None]:
    """``function`` as a command that changes something on a stage, by the control API."""

    @wraps(function)
    def once(session: Session, **given: Any) -> None:
        # What changes something needs tables and the API's client; what only looks does not.
        from halftone_cli.commands.changing import carried_out_once  # noqa: PLC0415

        with carried_out_once(session):
            function(session, **given)

    return _command(once, ("request", "stage", "local", "as_json", "debug"))


def offline(function: Callable[..., None]) -> Callable[..., None]:
    """``function`` as a command that needs no stage."""
    return _command(function, ("as_json", "debug"))


def _message(message: str | None, reason: str | None, default: Any) -> str:
    """The text that goes on record, by whichever name it was given.

    Raises:
        InvalidInput: if it is given twice, is blank, or is missing where there is no default.
    """
    if message is not None and reason is not None:
        raise InvalidInput("--reason", reason, "--message alone, of which it is the older name")
    text = message if reason is None else reason
    if text is None and default is inspect.Parameter.empty:
        raise InvalidInput("--message", None, "why it is done, which goes on record")
    if text is not None and not text.strip():
        raise InvalidInput("--message", text, "why it is done, which goes on record")
    return str(default) if text is None else text


def _command(function: Callable[..., None], shared: tuple[str, ...]) -> Callable[..., None]:
    """``function`` with the context in place of its session, and the shared options at its end.

    Typer reads options from a signature, so the signature is where they are added.
    """
    kind = inspect.Parameter.KEYWORD_ONLY
    _, *own = inspect.signature(function).parameters.values()
    message = next((parameter for parameter in own if parameter.name == "message"), None)
    if message is not None:
        # --reason is the older name of --message; which of them is missing is seen below.
        older = inspect.Parameter("reason", kind, annotation=_OlderMessageOption, default=None)
        own = [p.replace(default=None) if p is message else p for p in own] + [older]
    parameters = [
        inspect.Parameter("context", kind, annotation=typer.Context),
        *(parameter.replace(kind=kind) for parameter in own),
        *(
            inspect.Parameter(name, kind, annotation=_SHARED[name][0], default=_SHARED[name][1])
            for name in shared
        ),
    ]

    def command(context: typer.Context, **given: Any) -> None:
        session: Session = context.obj
        session.said(**{name: given.pop(name) for name in shared})
        if message is not None:
            given["message"] = _message(given.pop("message"), given.pop("reason"), message.default)
        function(session, **given)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command
