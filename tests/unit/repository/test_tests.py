"""How tests are written: names that fit a line, public parts alone, and something asserted."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.checkout import ROOT

LONGEST = 59
PRIVATE = {
    "tests/property/simulation/mutations.py": "takes the mend of a fault out of the product again",
    "tests/property/simulation/actors/feedback.py": "asks one route of the server",
    "tests/unit/cli/test_cli_console.py": "moves the folder of the page's files",
    "tests/property/api/test_any_sequence.py": "reads the ways that schemathesis has found",
    "tests/unit/cli/test_console_server.py": "moves the folders of the page's files",
}
"""Files that reach into private members, each with its reason."""

CHECKS = {
    "raises",
    "warns",
    "fail",
    "validate",
    "assert_no_pending_responses",
    "run_state_machine_as_test",
}
"""Calls of libraries that fail a test."""

FILES = sorted((ROOT / "tests").rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in FILES}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def named_tests(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in functions(tree) if node.name.startswith("test_"))


def is_private(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.startswith("_") and not last.startswith("__")


def private_names(tree: ast.AST) -> Iterator[str]:
    """Members of others that begin with an underscore, also those that a patch names in a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom):
            yield from (
                f"line {node.lineno}: {alias.name}"
                for alias in node.names
                if is_private(alias.name)
            )
        elif isinstance(node, ast.Call) and called(node) in ("setattr", "getattr", "delattr"):
            yield from (
                f"line {node.lineno}: {arg.value}"
                for arg in node.args
                if isinstance(arg, ast.Constant)
                and isinstance(arg.value, str)
                and is_private(arg.value)
            )


def called(node: ast.Call) -> str:
    """The last part of what is called."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def asserts(node: ast.AST) -> bool:
    """Whether it says itself what must be true."""
    return any(
        isinstance(inner, ast.Assert) or (isinstance(inner, ast.Call) and called(inner) in CHECKS)
        for inner in ast.walk(node)
    )


def calls(node: ast.AST) -> set[str]:
    return {called(inner) for inner in ast.walk(node) if isinstance(inner, ast.Call)}


def asserting() -> set[str]:
    """Names of functions of the tests that assert, by themselves or by what they call."""
    every = [one for tree in TREES.values() for one in functions(tree)]
    called_by = [(one.name, calls(one)) for one in every]
    existing = {one.name for one in every if asserts(one)}
    while more := {name for name, names in called_by if names & existing} - existing:
        existing |= more
    return existing


def vacuous(node: ast.Assert) -> bool:
    """Whether it holds whatever the code does: a tuple, a constant, a generator."""
    return isinstance(node.test, ast.Tuple | ast.Constant | ast.GeneratorExp | ast.JoinedStr)


def test_names_of_tests_have_less_than_60_characters():
    names = [test.name for tree in TREES.values() for test in named_tests(tree)]
    assert [name for name in names if len(name) > LONGEST] == []


def test_tests_reach_into_no_private_members():
    reached = {path: [*private_names(tree)] for path, tree in TREES.items()}
    assert {path: names for path, names in reached.items() if names and path not in PRIVATE} == {}
    assert [path for path in PRIVATE if not reached[path]] == []


def test_every_test_asserts_something():
    existing = asserting()
    silent = [
        f"{path}: {one.name}"
        for path, tree in TREES.items()
        for one in named_tests(tree)
        if one.name not in existing
    ]
    assert silent == []


def test_no_assertion_holds_whatever_the_code_does():
    asserted = [
        (path, node)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert [f"{path}:{node.lineno}" for path, node in asserted if vacuous(node)] == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("cache._source = 1", ["line 1: cache._source"]),
        ("monkeypatch.setattr(module, '_install', None)", ["line 1: _install"]),
        ("from halftone.stats.power import _drift", ["line 1: _drift"]),
        ("self._kept = cls._made = other.__doc__", []),
    ],
)
def test_private_members_are_found(code, expected):
    assert [*private_names(ast.parse(code))] == expected
