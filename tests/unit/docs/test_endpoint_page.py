"""docs/endpoint.md tells of every field of an endpoint.yaml, with its default."""

import re
from dataclasses import fields

import yaml

from halftone.domain.endpoint.spec import EndpointSpec, load_spec
from halftone.domain.quantities import spoken
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.traffic.policy_schema import FIELDS
from tests.support.checkout import ROOT

PAGE = (ROOT / "docs" / "endpoint.md").read_text()
USUAL = load_spec({"name": "churn", "model": "models/v1"})


def rows(heading: str) -> dict[str, list[str]]:
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0]
    cells = (re.split(r" *\| *", line.strip("| ")) for line in table.splitlines()[2:])
    return {name.strip("`"): rest for name, *rest in cells}


def test_every_field_is_told_of():
    aside = PAGE.split("## What changes without a deploy, too")[1].split("##")[0]
    names = {*rows("field"), *re.findall(r"`(\w+)`", aside)}
    rails = {"errors", "late", "crashes"}
    own = {field.name for field in fields(EndpointSpec)} - rails - {"serving"}
    assert names == {*own, "guardrails", *FIELDS}


def test_the_defaults_are_those_that_are_taken():
    by_name = {name: cells[0].strip("`") for name, cells in rows("field").items()}
    for name in ("memory", "max_body", "log_retention_days", "deploy_waits"):
        assert by_name[name] == str(getattr(USUAL, name))
    for name in ("timeout", "late_after"):
        assert by_name[name] == spoken(getattr(USUAL, name))
    assert load_plan(by_name["plan"]) == USUAL.plan
    for name, (_, *numbers) in rows("guardrail").items():
        rail = getattr(USUAL, name)
        view = [float(number.strip("`")) for number in numbers]
        assert view == [rail.rate, rail.count, rail.breaches, rail.periods]


def test_the_example_is_one():
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    assert load_spec(yaml.safe_load(example[1])) == USUAL
