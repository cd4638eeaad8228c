"""What each command prints with ``--json`` has the shape that docs/cli.md shows for it."""

import copy
import json
import re
from pathlib import Path

import pytest

from halftone.ports.notices import Undelivered
from halftone.testing import MemoryLogs
from halftone_cli.reference import commands
from tests.support.deployments import served_by
from tests.support.engine import NAME
from tests.support.notices import subscription
from tests.support.packages import folder_with
from tests.unit.cli.test_cli_doctor import MemoryAccount

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"<!-- json: ([a-z ]+) -->\n```json\n(.*?)```", PAGE, re.DOTALL))
PACKAGE = str(ROOT / "examples" / "digits" / "models" / "champion")
OPEN = (
    *("numbers", "margins", "before", "after", "traffic", "answering"),
    *("tags", "aliases", "metrics", "parameters", "metadata", "members", "roles"),
)
"""Mappings by name, whose names are nobody's fields."""
BY_NAME = ("models", "versions")
"""The same, where they are no lists."""

WHY = ("--message", "as agreed")
SETTLED = {
    "history": ("history", "-n 1"),
    "invoke": ("invoke", "--direct 2"),
    "logs": ("logs", "-n 1"),
    "logs --replicas": ("replicas", ""),
    "metrics": ("metrics", ""),
    "traffic": ("serving", "3=90 2=10"),
    "mirror": ("serving", ""),
    "rules": ("rules", ""),
    "rules --clear": ("serving", ""),
    "capture": ("serving", "10"),
    "serving": ("serving", ""),
    "publish": ("serving", ""),
    "unpublish": ("serving", ""),
    "enable": ("serving", ""),
    "disable": ("serving", ""),
    "doctor": ("doctor", ""),
    "endpoints show": ("endpoint", ""),
    "endpoints set": ("settings", "--tag team=risk"),
    "endpoints own": ("owner", "nobody"),
    "deployments list": ("deployments", ""),
    "deployments show": ("deployment", "2"),
    "deployments history": ("deployment history", ""),
    "deployments name": ("deployment", "1 blue"),
    "deployments scale": ("deployment", "1 2"),
    "deployments stop": ("deployment", "1"),
    "deployments start": ("deployment", "1"),
    "deployments delete": ("deployment", "1 --yes"),
    "clients add": ("client", "another --expires 90d"),
    "clients list": ("clients", ""),
    "clients revoke": ("clients", "another"),
    "audit verify": ("audit", ""),
    "audit export": ("history", ""),
}
"""By command, what is said of the endpoint: the shape that is printed, and the words that follow.

``settled`` is the stage on which they are said.
"""
OF_MODELS = {
    "endpoints list": ("endpoints", ""),
    "groups list": ("groups", ""),
    "groups show": ("group", "risk"),
    "groups add": ("group", "risk arn:aws:iam::111111111111:role/bob viewer"),
    "groups quota": ("group", "risk --endpoints 5"),
    "groups remove": ("group", "risk arn:aws:iam::111111111111:user/ann --yes"),
    "groups verify": ("group audit", "risk"),
    "me": ("me", ""),
    "notify list": ("subscriptions", ""),
    "notify add": ("subscribed", "webhook https://ops.example.com/other"),
    "notify remove": ("subscription", "0123456789ab --yes"),
    "notify test": ("subscription", "0123456789ab"),
    "notify failed": ("undelivered", "0123456789ab"),
    "models list": ("models", ""),
    "models show": ("versions", "risk-1"),
    "models show@": ("version", "risk-1:1"),
    "models tag": ("version", "risk-1:1 team=risk"),
    "models alias": ("model", "risk-1 challenger 1"),
    "models register": ("version", "risk-1 {digest}"),
}
ROLLING = {
    "status": ("status", []),
    "rollback": ("status", [NAME]),
    "release": ("release", ["{package}", "--endpoint", NAME, "--supersede"]),
    "rollout watch": ("status", [NAME]),
    "rollout pause": ("status", [NAME, *WHY]),
    "rollout resume": ("status", [NAME, *WHY]),
    "rollout promote": ("status", [NAME, *WHY]),
    "rollout abort": ("status", [NAME, *WHY]),
    "plan preview": ("preview", ["--plan", "gradual", "--rate", "1"]),
}
GATED = {
    "rollout approve": ("status", [NAME, *WHY]),
    "rollout reject": ("status", [NAME, *WHY]),
}
RESTORED = {
    "adopt": ("status", [NAME, "--keep", "record", *WHY]),
}
OFFLINE = {
    "init": ("init", ["eta"]),
    "package": ("package", [PACKAGE]),
    "plan show": ("plan", ["gradual"]),
    "serve": ("serve", [PACKAGE, "--port", "0"]),
}
ELSEWHERE = {"console", "import", "schema", "local up", "local down", "local status", "local env"}
"""``test_console_server``, ``test_json_schemas`` and ``tests/contract/local`` look at these;
``import`` needs an MLflow."""
TOLD = {**SETTLED, **OF_MODELS, **ROLLING, **GATED, **RESTORED, **OFFLINE}


def agree(shown, printed, at=""):
    """Names and kinds of all fields are those on the page; null there or here may be anything."""
    if shown is None or printed is None:
        return
    if isinstance(shown, dict) and isinstance(printed, dict):
        name = at.rpartition(".")[2]
        if name in OPEN:
            return
        if name in BY_NAME:
            shown, printed = ({"*": next(iter(m.values()), None)} for m in (shown, printed))
        assert shown.keys() == printed.keys(), at
        for name, value in shown.items():
            agree(value, printed[name], f"{at}.{name}")
    elif isinstance(shown, list) and isinstance(printed, list):
        for one, other in zip(shown[:1], printed[:1], strict=False):
            agree(one, other, at)
    else:
        kinds = {
            ("number" if type(v) in (int, float) else type(v).__name__) for v in (shown, printed)
        }
        assert len(kinds) == 1, f"{at} is {printed!r}, on the page {shown!r}"


def check(block, ran):
    assert ran.code == 0, ran.err
    shown = json.loads(SHOWN[block])
    documents = [ran.json] if ran.out.startswith("{\n") else map(json.loads, ran.out.splitlines())
    for document in documents:
        agree(shown, document)


@pytest.fixture
def settled(cli):
    """risk-3 serves, for clients alone, with a rule, a mirror and a line in its log."""
    cli.endpoint = served_by("risk-1", "risk-2", "risk-3")
    cli.account = MemoryAccount()
    rules = "[{match: {headers: {x-tier: [internal]}}, to: '2'}]"
    for words in (
        (
            "serving",
            NAME,
            "mode=guarded",
            "access=private",
            "key={header: x-user}",
            "latency_budget=250ms",
        ),
        ("rules", NAME, "--set", "-"),
        ("mirror", NAME, "1=10"),
        ("clients", "add", NAME, "clinic", "--expires", "30d"),
        ("clients", "add", NAME, "another"),
        ("endpoints", "set", NAME, "--description", "Is it fraud?"),
        ("models", "tag", "risk-1:1", "a=b", "--metric", "auc=0.9", "--parameter", "depth=3"),
    ):
        ran = cli(*words, typed=rules)
        assert ran.code == 0, ran.err
    standing = subscription("0123456789ab")
    cli.endpoint.world.subscriptions.kept[standing.id] = standing
    given_up = Undelivered(
        standing.id, "f" * 64, "title", standing.made_at, standing.made_at, "why"
    )
    cli.endpoint.world.subscriptions.keep_undelivered(given_up)
    logs, now = cli.endpoint.world.logs, cli.endpoint.world.clock.now()
    assert isinstance(logs, MemoryLogs)
    logs.write(NAME, f"2026/01/01/fn[3]{'a' * 32}", now, "loaded in 812 ms")
    return cli


def test_every_command_and_every_shape_on_the_page_is_looked_at():
    names = {name.removeprefix("halftone ") for name, _ in commands()}
    leaves = {n for n in names if not any(other.startswith(f"{n} ") for other in names)}
    assert {re.split(r" --|@", name)[0] for name in TOLD} == leaves - {"halftone"} - ELSEWHERE
    assert {block for block, _ in TOLD.values()} == SHOWN.keys() - {"console", "local"}


@pytest.mark.parametrize("command", SETTLED)
def test_of_an_endpoint(settled, command):
    block, said = SETTLED[command]
    if command in ("traffic", "deployments stop", "deployments delete"):
        settled("mirror", NAME, "off")
    ran = settled(*command.split(), NAME, *said.split(), "--json")
    if command == "audit export":
        lines = [json.loads(line) for line in ran.out.splitlines()]
        ran.out = json.dumps({"endpoint": NAME, "records": lines}, indent=2)
    check(block, ran)


@pytest.mark.parametrize("command", OF_MODELS)
def test_of_the_registry_and_the_stage(settled, command):
    block, said = OF_MODELS[command]
    settled("groups", "add", "risk", "arn:aws:iam::111111111111:user/ann", "admin")
    digest = settled("models", "show", "risk-1:1", "--json").json["digest"]
    words = command.rstrip("@").split()
    check(block, settled(*words, *said.format(digest=digest).split(), "--json"))


@pytest.mark.parametrize("command", ROLLING)
def test_of_a_rollout(rolling, command, tmp_path):
    block, said = ROLLING[command]
    if "{package}" in said:
        said = [str(folder_with(tmp_path / "v2")), *said[1:]]
    if command == "rollout resume":
        rolling("rollout", "pause", NAME, *WHY)
    if command == "rollout watch":
        rolling.while_waiting = rolling.promote
    check(block, rolling(*command.split(), *said, "--json"))


@pytest.mark.parametrize("command", GATED)
def test_of_a_rollout_at_a_gate(gated, command):
    block, said = GATED[command]
    check(block, gated(*command.split(), *said, "--json"))


@pytest.mark.parametrize("command", RESTORED)
def test_of_a_table_that_was_restored(rolling, command):
    store = rolling.endpoint.world.store
    kept = copy.deepcopy(vars(store))
    rolling.promote()
    vars(store).update(kept)
    block, said = RESTORED[command]
    check(block, rolling(*command.split(), *said, "--json"))


@pytest.mark.parametrize("command", OFFLINE)
def test_without_a_stage(offline, command, tmp_path, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    block, said = OFFLINE[command]
    check(block, offline(*command.split(), *said, "--json", while_waiting=interrupt))
