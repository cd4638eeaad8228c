"""What a newcomer reads first leads somewhere, and what CI runs is what a laptop runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.checkout import ROOT

PAGES = sorted(path.name for path in ROOT.glob("*.md"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
HEADINGS = ["## Context", "## Decision", "## Consequences"]


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_pages_at_the_top_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert (ROOT / link).exists(), f"{page} links to {link}"


@pytest.mark.parametrize("page", PAGES)
def test_make_commands_on_the_pages_at_the_top_exist(page: str) -> None:
    commands = set(re.findall(r"`make ([a-z]+)", (ROOT / page).read_text()))
    assert commands <= TARGETS


def test_paths_in_the_guide_for_contributors_exist() -> None:
    library = ROOT / "layers" / "core" / "python"
    folders = (ROOT, ROOT / "cli", library, library / "halftone")
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = {path for path in re.findall(r"`([\w./-]+)`", text) if "/" in path}
    assert len(named) > 20
    missing = {path for path in named if not any((folder / path).exists() for folder in folders)}
    assert not missing


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_make_and_little_else(workflow: Path) -> None:
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    names = [command.removeprefix("make ") for command in commands if command.startswith("make ")]
    assert names
    assert set(names) <= TARGETS
    assert len(commands) - len(names) <= 1


def test_the_hooks_before_a_commit_call_make() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    assert entries
    assert {entry.removeprefix("make ") for entry in entries} <= TARGETS
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.name[:4])
def test_a_decision_has_status_date_context_and_consequences(page: Path) -> None:
    text = page.read_text()
    row = r"^\| (accepted|proposed|superseded by \d+) \| 20\d\d-\d\d-\d\d \|$"
    assert re.search(row, text, re.MULTILINE)
    assert [line for line in text.splitlines() if line in HEADINGS] == HEADINGS


def test_every_decision_is_listed_and_in_the_site_s_navigation() -> None:
    table = (ROOT / "docs" / "decisions" / "README.md").read_text()
    listed = re.findall(r"\]\((0[\w-]+\.md)\)", table)
    names = re.findall(r"decisions/(0[\w-]+\.md)", (ROOT / "mkdocs.yml").read_text())
    assert listed == names == [page.name for page in DECISIONS]


def test_the_licence_is_the_one_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence


@pytest.mark.parametrize("scenario", ["null", "incident"])
def test_percentages_in_the_readme_are_those_of_the_benchmark(scenario: str) -> None:
    """The range of a column over the three rates of requests, as docs/analysis.md has them."""
    page = (ROOT / "docs" / "analysis.md").read_text()
    rows = re.findall(rf"^\| {scenario}, [\d.]+/s \|(.*)\|$", page, re.MULTILINE)
    table = [[float(cell.strip(" %")) for cell in row.split("|")] for row in rows]
    assert len(table) == 3
    halftone, alarm, z_test = ([row[column] for row in table] for column in (0, 1, 2))
    readme = (ROOT / "README.md").read_text()
    for column in (halftone, alarm, z_test):
        assert f"{min(column)} to {max(column)} %" in readme


def test_the_changelog_has_a_heading_for_each_version_and_kind() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - 20\d\d-\d\d-\d\d", name) for name in versions[1:])
    kinds = set(re.findall(r"^### (.*)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
