"""docs/rollout.md says what the code says: phases, verdicts, the plan language, times."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from halftone.domain.errors import InvalidInput
from halftone.domain.insight.sticky_keys import FOLLOWED
from halftone.domain.rollout import phase, verdict
from halftone.domain.rollout.phase import TRANSITIONS, Phase
from halftone.domain.rollout.plan import DESCRIPTIONS, PRESETS
from halftone.domain.rollout.plan_schema import dump_plan, load_plan
from halftone.domain.rollout.preview import Traffic, about, preview

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "rollout.md").read_text()
LAG = timedelta(minutes=1)


def tables(text: str) -> Iterator[list[list[str]]]:
    """Each table in Markdown: its rows, without the ruler, as cells without code marks."""
    for name in re.findall(r"(?:^ *\|.*\|\n)+", text, re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in name.splitlines()
        ]
        yield [[cell.strip("`") for cell in row] for row in rows if not set(row[0]) <= set("-:")]


def table(*heading: str, text: str = TEXT) -> list[list[str]]:
    """The rows of the table whose first columns have these headings."""
    [row] = [rows for rows in tables(text) if rows[0][: len(heading)] == list(heading)]
    return row[1:]


@pytest.mark.parametrize(
    ("module", "heading"),
    [(phase, ("phase", "what is true")), (verdict, ("kind", "meaning"))],
    ids=["phases", "verdicts"],
)
def test_phases_and_verdicts_have_the_sentences_of_the_code(module, heading):
    assert table(*heading) == table(*heading, text=module.__doc__ or "")


def test_the_table_of_transitions_is_the_one_that_is_enforced():
    by_before = {before: set(after.split(", ")) for before, after in table("from", "to")}
    assert by_before == {
        str(before): {str(one) for one in after} or {"none: it is over"}
        for before, after in TRANSITIONS.items()
    }


def known(form: object, at: str) -> set[str]:
    """The fields that a mapping may have, as the refusal of an unknown one names them."""
    with pytest.raises(InvalidInput) as refused:
        load_plan(form)
    assert refused.value.field == at
    return set(refused.value.expected.partition("known: ")[2].split(", "))


def test_every_field_of_a_plan_is_documented():
    plan, stage, margin = tables_of_fields()
    assert plan.keys() == known({"x": 1}, "plan.x")
    assert stage.keys() == known({"steps": [{"x": 1}]}, "plan.steps[0].x")
    assert stage.keys() == known({"bake": {"x": 1}}, "plan.bake.x")
    assert margin.keys() == known({"margins": {"x": 1}}, "plan.margins.x")
    columns = {"regression", "safety", "tolerance"}
    assert columns == known({"margins": {"late": {"x": 1}}}, "plan.margins.late.x")
    assert set(next(rows[0] for rows in tables(TEXT) if rows[0][0] == "metric")[1:4]) == columns


def test_the_defaults_are_those_of_an_empty_plan():
    plan, stage, margin = tables_of_fields()
    written = dump_plan(load_plan({"steps": [{"weight": 7}]}))
    unsaid = {"mirror": "none", "match": "none"}
    step = {**written["steps"][0], "weight": "required"}  # type: ignore[index]

    assert {name: row[0] for name, row in stage.items()} == texts(step) | unsaid
    assert {name: row[1] for name, row in stage.items()} == texts(written["bake"]) | unsaid
    rules = {name: written[name] for name in ("alpha", "on_inconclusive", "latency_floor")}
    assert {name: plan[name][0] for name in rules} == texts(rules)
    assert plan["preset"][0] in PRESETS
    assert load_plan({}) == PRESETS[plan["preset"][0]]
    for metric, row in margin.items():
        fields = {"regression": "-", "safety": "-"} | texts(written["margins"][metric])  # type: ignore[index]
        assert row[:3] == [*fields.values()]


def tables_of_fields() -> tuple[dict[str, list[str]], ...]:
    """Of the plan, of a stage, of the margins: each row's cells by its first."""
    headings = [("field", "default", "meaning"), ("field", "default", "bake"), ("metric",)]
    return tuple({name: cells for name, *cells in table(*heading)} for heading in headings)


def texts(form: object) -> dict[str, str]:
    assert isinstance(form, dict)
    return {name: str(value) for name, value in form.items()}


def test_the_examples_are_plans():
    plans = [
        load_plan(yaml.safe_load(example)["plan"])
        for example in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    ]
    assert [[stage.told for stage in plan.stages] for plan in plans] == [
        ["1 %", "10 %", "50 %", "95 %"],
        ["mirror 10 %", "5 %", "50 %", "95 %"],
    ]


def test_presets_are_described_as_the_command_does():
    assert dict(table("preset", "what it does")) == dict(DESCRIPTIONS)


def test_times_are_those_of_the_preview():
    [heading] = [rows[0] for rows in tables(TEXT) if rows[0][0] == "requests a second"]
    for rate, *view in table("requests a second"):
        traffic = Traffic(float(rate), 0.01, 0.01, "given")
        spans = [preview(PRESETS[name], traffic, lag=LAG).promoted_after for name in heading[1:]]
        assert view == [about(span) for span in spans if span is not None], rate


def test_times_by_key_are_those_of_the_preview():
    for message, *view in table("new keys an hour"):
        keys = None if message == "drawn by request" else float(message)
        traffic = Traffic(20, 0.01, 0.01, "given", keys)
        previewed = preview(PRESETS["gradual"], traffic, lag=LAG, key_lag=LAG + FOLLOWED)
        spans = (previewed.steps[0].lasts, previewed.promoted_after)
        assert view == [about(span) for span in spans if span is not None], message


def test_each_failure_has_its_diagram():
    part = TEXT.partition("## When something breaks")[2].partition("\n## ")[0]
    sections = re.split(r"^### ", part, flags=re.MULTILINE)[1:]
    assert [section.partition("\n")[0] for section in sections] == [
        "An alarm while a step is observed",
        "An alarm races an advance",
        "An alarm in guarded mode",
        "A guarded rollout reaches 100 %",
        "A crash after the intent",
        "A crash after the alias",
        "The table does not answer",
        "The workflow is gone",
        "A deploy in the middle of a rollout",
    ]
    assert all(section.count("```mermaid\nsequenceDiagram\n") == 1 for section in sections)


def test_arrows_join_participants_that_are_declared():
    for diagram in re.findall(r"```mermaid\n(.*?)```", TEXT, re.DOTALL):
        declared = set(re.findall(r"participant (\w+) as", diagram))
        arrows = re.findall(r"^ +(\w+)(?:->>|--x)(\w+):", diagram, re.MULTILINE)
        assert arrows
        assert {end for arrow in arrows for end in arrow} == declared


def test_the_phases_are_all_there():
    assert [name for name, _ in table("phase", "what is true")] == [str(one) for one in Phase]
