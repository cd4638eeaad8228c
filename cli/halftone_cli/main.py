"""The entry point: commands under their names, and the end of every error."""

import io
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from halftone_cli.commands.audit import export_audit, verify_audit
from halftone_cli.commands.clients import add_client, list_clients, revoke_client
from halftone_cli.commands.deployments import (
    delete_deployment,
    list_deployments,
    name_deployment,
    scale_deployment,
    show_deployment,
    start_deployment,
    stop_deployment,
)
from halftone_cli.commands.doctor import doctor
from halftone_cli.commands.endpoints import (
    list_endpoints,
    own_endpoint,
    set_endpoint,
    show_endpoint,
)
from halftone_cli.commands.history import history
from halftone_cli.commands.init import init
from halftone_cli.commands.invoke import invoke
from halftone_cli.commands.logs import logs
from halftone_cli.commands.metrics import metrics
from halftone_cli.commands.models import (
    alias_model,
    list_models,
    register_model,
    show_model,
    tag_model,
)
from halftone_cli.commands.package import package
from halftone_cli.commands.plan import show_plan
from halftone_cli.commands.preview import preview_plan
from halftone_cli.commands.release import release
from halftone_cli.commands.rollback import rollback
from halftone_cli.commands.rollout import abort, approve, pause, promote, reject, resume, watch
from halftone_cli.commands.routing import mirror, rules, traffic
from halftone_cli.commands.serve import serve
from halftone_cli.commands.serving import (
    capture,
    disable,
    enable,
    publish,
    serving,
    unpublish,
)
from halftone_cli.commands.status import status
from halftone_cli.context import Session
from halftone_cli.errors import report
from halftone_cli.options import (
    DebugOption,
    JsonOption,
    LocalOption,
    StageOption,
    changes,
    offline,
    on_stage,
)

# Without rich's panels: help is then plain text, on a screen as in a pipe or in the docs.
_PLAIN: dict[str, Any] = {"rich_markup_mode": None, "pretty_exceptions_enable": False}
_HELP = {"help_option_names": ["-h", "--help"]}


class _Halftone(TyperGroup):
    """The group of all commands: gives each run its session, and errors their exit codes."""

    def main(self, *args: Any, **extra: Any) -> Any:
        session: Session = extra.setdefault("obj", Session())
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except Exception as error:  # noqa: BLE001 - the one place where no error gets past
            sys.exit(report(error, debug=session.debug))
        sys.exit(code)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(version("halftone"))
        raise typer.Exit


app = typer.Typer(name="halftone", cls=_Halftone, context_settings=_HELP, **_PLAIN)


@app.callback()
def halftone(
    context: typer.Context,
    stage: StageOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ship new versions of machine-learning models in steps, and take back what is worse.

    The options below may also stand after the command's name.

    \b
    Exit codes:
      0  done
      1  the answer is no (not promoted, no 2xx, not confirmed)
      2  a value that can't be taken        5  the audit does not verify
      3  nothing of that name               6  AWS or an endpoint did not answer
      4  the present state forbids it       7  the caller may not do that
      70 a fault of Halftone's own          130 interrupted
    """
    session: Session = context.obj
    session.said(stage=stage, local=local, as_json=as_json, debug=debug)


app.command()(on_stage(status))
app.command()(changes(release))
app.command()(changes(rollback))
app.command()(on_stage(history))
app.command()(on_stage(invoke))
app.command()(on_stage(logs))
app.command()(on_stage(metrics))
for setting in (traffic, mirror, rules, capture, serving, publish, unpublish, enable, disable):
    app.command(setting.__name__)(changes(setting))
app.command()(on_stage(doctor))
app.command()(offline(init))
app.command()(offline(package))
app.command()(offline(serve))

endpoints = typer.Typer(help="Which endpoints there are, and whose.", **_PLAIN)
endpoints.command("list")(on_stage(list_endpoints))
endpoints.command("show")(on_stage(show_endpoint))
endpoints.command("set")(changes(set_endpoint))
endpoints.command("own")(changes(own_endpoint))
app.add_typer(endpoints, name="endpoints")

deployments = typer.Typer(help="Published versions of an endpoint.", **_PLAIN)
deployments.command("list")(on_stage(list_deployments))
deployments.command("show")(on_stage(show_deployment))
deployments.command("name")(changes(name_deployment))
deployments.command("scale")(changes(scale_deployment))
deployments.command("stop")(changes(stop_deployment))
deployments.command("start")(changes(start_deployment))
deployments.command("delete")(changes(delete_deployment))
app.add_typer(deployments, name="deployments")

models = typer.Typer(help="The registry of models.", **_PLAIN)
models.command("list")(on_stage(list_models))
models.command("show")(on_stage(show_model))
models.command("tag")(changes(tag_model))
models.command("alias")(changes(alias_model))
models.command("register")(changes(register_model))
app.add_typer(models, name="models")

clients = typer.Typer(help="Who may call a private endpoint.", **_PLAIN)
clients.command("add")(changes(add_client))
clients.command("list")(on_stage(list_clients))
clients.command("revoke")(changes(revoke_client))
app.add_typer(clients, name="clients")

audit = typer.Typer(help="Verify the record of everything that happened.", **_PLAIN)
audit.command("verify")(on_stage(verify_audit))
audit.command("export")(on_stage(export_audit))
app.add_typer(audit, name="audit")

plan = typer.Typer(help="Look at rollout plans.", **_PLAIN)
plan.command("show")(offline(show_plan))
plan.command("preview")(on_stage(preview_plan))
app.add_typer(plan, name="plan")

rollout = typer.Typer(help="Say something to a rollout under way.", **_PLAIN)
rollout.command("watch")(on_stage(watch))
for said in (pause, resume, approve, reject, promote, abort):
    rollout.command(said.__name__)(changes(said))
app.add_typer(rollout, name="rollout")


def main() -> None:
    """Run the command that the process was started with."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # An old code page has no "→": it is then shown as "\u2192", not the end of a table.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="halftone")


if __name__ == "__main__":
    main()
