"""The catalog of commands: under which name each stands, and which function it is.

A command's module is imported when the command is run, completed or described, and not before: a
command that looks at one thing need not pay for the imports of all others.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
import typer.main

from halftone_cli.options import changes, offline, on_stage

# Without rich's panels: help is then plain text, on a screen as in a pipe or in the docs.
PLAIN: dict[str, Any] = {"rich_markup_mode": None, "pretty_exceptions_enable": False}

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


@dataclass(frozen=True)
class Command:
    """One command: ``function`` of ``halftone_cli.commands.<module>``, with shared options."""

    module: str
    function: str
    options: Decorator

    def load(self) -> Callable[..., None]:
        """The function as typer takes it. Imports its module."""
        module = import_module(f"halftone_cli.commands.{self.module}")
        function: Callable[..., None] = getattr(module, self.function)
        return self.options(function)


@dataclass(frozen=True)
class Group:
    """Commands that share their first word; ``help`` is what that word is about."""

    help: str
    commands: Mapping[str, Command]


COMMANDS: Mapping[str, Command | Group] = {
    "status": Command("status", "status", on_stage),
    "release": Command("release", "release", changes),
    "rollback": Command("rollback", "rollback", changes),
    "history": Command("history", "history", on_stage),
    "invoke": Command("invoke", "invoke", on_stage),
    "logs": Command("logs", "logs", on_stage),
    "metrics": Command("metrics", "metrics", on_stage),
    "traffic": Command("routing", "traffic", changes),
    "mirror": Command("routing", "mirror", changes),
    "rules": Command("routing", "rules", changes),
    "capture": Command("serving", "capture", changes),
    "serving": Command("serving", "serving", changes),
    "publish": Command("serving", "publish", changes),
    "unpublish": Command("serving", "unpublish", changes),
    "enable": Command("serving", "enable", changes),
    "disable": Command("serving", "disable", changes),
    "doctor": Command("doctor", "doctor", on_stage),
    "init": Command("init", "init", offline),
    "package": Command("package", "package", offline),
    "serve": Command("serve", "serve", offline),
    "endpoints": Group(
        "Which endpoints there are, and whose.",
        {
            "list": Command("endpoints", "list_endpoints", on_stage),
            "show": Command("endpoints", "show_endpoint", on_stage),
            "set": Command("endpoints", "set_endpoint", changes),
            "own": Command("endpoints", "own_endpoint", changes),
        },
    ),
    "deployments": Group(
        "Published versions of an endpoint.",
        {
            "list": Command("deployments", "list_deployments", on_stage),
            "show": Command("deployments", "show_deployment", on_stage),
            "name": Command("deployments", "name_deployment", changes),
            "scale": Command("deployments", "scale_deployment", changes),
            "stop": Command("deployments", "stop_deployment", changes),
            "start": Command("deployments", "start_deployment", changes),
            "delete": Command("deployments", "delete_deployment", changes),
        },
    ),
    "models": Group(
        "The registry of models.",
        {
            "list": Command("models", "list_models", on_stage),
            "show": Command("models", "show_model", on_stage),
            "tag": Command("models", "tag_model", changes),
            "alias": Command("models", "alias_model", changes),
            "register": Command("models", "register_model", changes),
        },
    ),
    "clients": Group(
        "Who may call a private endpoint.",
        {
            "add": Command("clients", "add_client", changes),
            "list": Command("clients", "list_clients", on_stage),
            "revoke": Command("clients", "revoke_client", changes),
        },
    ),
    "groups": Group(
        "Who may do what, by group.",
        {
            "list": Command("groups", "list_groups", on_stage),
            "show": Command("groups", "show_group", on_stage),
            "add": Command("groups", "add_member", changes),
            "remove": Command("groups", "remove_member", changes),
            "verify": Command("groups", "verify_group", on_stage),
        },
    ),
    "me": Command("groups", "me", on_stage),
    "audit": Group(
        "Verify the record of everything that happened.",
        {
            "verify": Command("audit", "verify_audit", on_stage),
            "export": Command("audit", "export_audit", on_stage),
        },
    ),
    "plan": Group(
        "Look at rollout plans.",
        {
            "show": Command("plan", "show_plan", offline),
            "preview": Command("preview", "preview_plan", on_stage),
        },
    ),
    "local": Group(
        "Run AWS on this machine.",
        {
            "up": Command("local", "start_local", offline),
            "down": Command("local", "stop_local", offline),
            "status": Command("local", "show_local", offline),
            "env": Command("local", "export_local", offline),
        },
    ),
    "rollout": Group(
        "Control a running rollout.",
        {
            "watch": Command("rollout", "watch", on_stage),
            "pause": Command("rollout", "pause", changes),
            "resume": Command("rollout", "resume", changes),
            "approve": Command("rollout", "approve", changes),
            "reject": Command("rollout", "reject", changes),
            "promote": Command("rollout", "promote", changes),
            "abort": Command("rollout", "abort", changes),
        },
    ),
}


class LazyCommands(MutableMapping[str, Any]):
    """The click commands by name, in the order of ``COMMANDS``; each is made when asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _click_command(name, COMMANDS[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made or name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]


def _click_command(name: str, entry: Command | Group) -> Any:
    app = typer.Typer(name=name, **PLAIN, add_completion=False)
    if isinstance(entry, Command):
        app.command(name)(entry.load())
        return typer.main.get_command(app)
    app = typer.Typer(name=name, help=entry.help, **PLAIN, add_completion=False)
    for inner, command in entry.commands.items():
        app.command(inner)(command.load())
    return typer.main.get_group(app)
