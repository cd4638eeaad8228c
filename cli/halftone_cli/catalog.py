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

from halftone_cli.commands.options import changes, offline, on_stage

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
    "status": Command("rollouts.status", "status", on_stage),
    "release": Command("rollouts.release", "release", changes),
    "import": Command("rollouts.import_model", "import_model", changes),
    "rollback": Command("rollouts.rollback", "rollback", changes),
    "adopt": Command("endpoints.adopt", "adopt", changes),
    "history": Command("rollouts.history", "history", on_stage),
    "invoke": Command("endpoints.invoke", "invoke", on_stage),
    "logs": Command("insight.logs", "logs", on_stage),
    "metrics": Command("insight.metrics", "metrics", on_stage),
    "traffic": Command("endpoints.routing", "traffic", changes),
    "mirror": Command("endpoints.routing", "mirror", changes),
    "rules": Command("endpoints.routing", "rules", changes),
    "capture": Command("endpoints.serving", "capture", changes),
    "serving": Command("endpoints.serving", "serving", changes),
    "publish": Command("endpoints.serving", "publish", changes),
    "unpublish": Command("endpoints.serving", "unpublish", changes),
    "enable": Command("endpoints.serving", "enable", changes),
    "disable": Command("endpoints.serving", "disable", changes),
    "console": Command("offline.console", "open_console", on_stage),
    "doctor": Command("insight.doctor", "doctor", on_stage),
    "init": Command("offline.init", "init", offline),
    "package": Command("offline.package", "package", offline),
    "serve": Command("offline.serve", "serve", offline),
    "schema": Command("offline.schema", "schema", offline),
    "endpoints": Group(
        "Which endpoints there are, and whose.",
        {
            "list": Command("endpoints.endpoints", "list_endpoints", on_stage),
            "show": Command("endpoints.endpoints", "show_endpoint", on_stage),
            "set": Command("endpoints.endpoints", "set_endpoint", changes),
            "own": Command("endpoints.endpoints", "own_endpoint", changes),
        },
    ),
    "deployments": Group(
        "Published versions of an endpoint.",
        {
            "list": Command("endpoints.deployments", "list_deployments", on_stage),
            "show": Command("endpoints.deployments", "show_deployment", on_stage),
            "history": Command("endpoints.deployments", "deployment_history", on_stage),
            "name": Command("endpoints.deployments", "name_deployment", changes),
            "scale": Command("endpoints.deployments", "scale_deployment", changes),
            "stop": Command("endpoints.deployments", "stop_deployment", changes),
            "start": Command("endpoints.deployments", "start_deployment", changes),
            "delete": Command("endpoints.deployments", "delete_deployment", changes),
        },
    ),
    "models": Group(
        "The registry of models.",
        {
            "list": Command("endpoints.models", "list_models", on_stage),
            "show": Command("endpoints.models", "show_model", on_stage),
            "tag": Command("endpoints.models", "tag_model", changes),
            "alias": Command("endpoints.models", "alias_model", changes),
            "register": Command("endpoints.models", "register_model", changes),
        },
    ),
    "clients": Group(
        "Who may call a private endpoint.",
        {
            "add": Command("endpoints.clients", "add_client", changes),
            "list": Command("endpoints.clients", "list_clients", on_stage),
            "revoke": Command("endpoints.clients", "revoke_client", changes),
        },
    ),
    "groups": Group(
        "Who may do what, by group.",
        {
            "list": Command("endpoints.groups", "list_groups", on_stage),
            "show": Command("endpoints.groups", "show_group", on_stage),
            "add": Command("endpoints.groups", "add_member", changes),
            "quota": Command("endpoints.groups", "set_quota", changes),
            "remove": Command("endpoints.groups", "remove_member", changes),
            "verify": Command("endpoints.groups", "verify_group", on_stage),
        },
    ),
    "me": Command("endpoints.groups", "me", on_stage),
    "audit": Group(
        "Verify the record of everything that happened.",
        {
            "verify": Command("insight.audit", "verify_audit", on_stage),
            "export": Command("insight.audit", "export_audit", on_stage),
        },
    ),
    "notify": Group(
        "Who is told of what happens, and where.",
        {
            "list": Command("insight.notify", "list_subscriptions", on_stage),
            "add": Command("insight.notify", "add_subscription", changes),
            "remove": Command("insight.notify", "remove_subscription", changes),
            "test": Command("insight.notify", "try_subscription", changes),
            "failed": Command("insight.notify", "list_undelivered", on_stage),
        },
    ),
    "plan": Group(
        "Look at rollout plans.",
        {
            "show": Command("offline.plan", "show_plan", offline),
            "preview": Command("offline.preview", "preview_plan", on_stage),
        },
    ),
    "local": Group(
        "Run AWS on this machine.",
        {
            "up": Command("offline.local", "start_local", offline),
            "down": Command("offline.local", "stop_local", offline),
            "status": Command("offline.local", "show_local", offline),
            "env": Command("offline.local", "export_local", offline),
        },
    ),
    "rollout": Group(
        "Control a running rollout.",
        {
            "watch": Command("rollouts.rollout", "watch", on_stage),
            "pause": Command("rollouts.rollout", "pause", changes),
            "resume": Command("rollouts.rollout", "resume", changes),
            "approve": Command("rollouts.rollout", "approve", changes),
            "reject": Command("rollouts.rollout", "reject", changes),
            "promote": Command("rollouts.rollout", "promote", changes),
            "abort": Command("rollouts.rollout", "abort", changes),
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
