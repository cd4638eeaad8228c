"""Stage settings: what is not given has a value, and what is wrong is named."""

import json
import re
import sys
from dataclasses import fields
from datetime import timedelta

import pytest

from halftone.domain.errors import InvalidInput
from halftone_cdk.settings import Architecture, Runtime, Settings, SnapStart, stage_settings
from tests.infra.support import CDK_JSON
from tests.support.checkout import ROOT


def test_the_stages_of_this_repository() -> None:
    stages = CDK_JSON["context"]["stages"]
    local = stage_settings("local", stages)
    assert local.runtime is Runtime.current()
    assert (local.metric_lag, local.tick) == (timedelta(seconds=2), timedelta(seconds=2))
    assert not local.snaps
    dev = stage_settings("dev", stages)
    assert (dev.runtime, dev.architecture) == (Runtime.PYTHON_3_13, Architecture.X86_64)
    assert dev.snaps
    assert not dev.prod
    assert stage_settings("prod", stages).prod


def test_a_stage_without_settings_has_the_defaults() -> None:
    assert stage_settings("qa", {"qa": {}}) == Settings("qa")


def test_snap_start_can_be_switched_off() -> None:
    settings = stage_settings("qa", {"qa": {"snap_start": "off"}})
    assert settings.snap_start is SnapStart.OFF
    assert not settings.snaps


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("runtime", "nodejs22.x", "one of python3.11, python3.12, python3.13"),
        ("architecture", "riscv", "one of x86_64, arm64"),
        ("prod", "yes", "true or false"),
        ("metric_lag", 2, "a duration"),
        ("key_lag", "1", "a duration"),
        ("key_follow", 5, "a duration"),
        ("tick", "0s", "whole seconds"),
        ("tick", "1500ms", "whole seconds"),
        ("log_retention_days", 31, "one of [1, 3, 5"),
        ("capture_retention_days", 0, "a whole number from 1 to 3650"),
        ("snap_start", True, "one of auto, off"),
        ("route_quota", 0, "a whole number from 10 to 10000"),
        ("memroy", 512, "no such setting; known: ['architecture', "),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(name: str, value: object, expected: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        stage_settings("qa", {"qa": {name: value}})
    assert raised.value.field == f"stages.qa.{name}"
    assert raised.value.value == value
    assert expected in raised.value.expected
    assert str(raised.value).startswith("cdk.json: ")


@pytest.mark.parametrize("stage", ["", "Dev", "dev-eu", "1st", "a" * 17])
def test_a_stage_s_name_can_begin_no_other_s(stage: str) -> None:
    with pytest.raises(InvalidInput, match="a letter first"):
        stage_settings(stage, {stage: {}})


@pytest.mark.parametrize("stages", [None, {}, ["dev"], {"dev": None}])
def test_stages_that_are_no_mapping_are_refused(stages: object) -> None:
    with pytest.raises(InvalidInput, match="a mapping of"):
        stage_settings("dev", stages)


def test_production_has_no_runtime_the_layers_cannot_run_on() -> None:
    with pytest.raises(InvalidInput, match=r"python3\.13 where prod is true"):
        stage_settings("live", {"live": {"prod": True, "runtime": "python3.11"}})


def test_the_page_has_every_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "stages.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", page, re.MULTILINE))
    usual = {field.name: getattr(Settings("qa"), field.name) for field in fields(Settings)}
    del usual["name"]
    assert rows.keys() == usual.keys()
    for name, value in usual.items():
        as_json = isinstance(value, bool | int | tuple) or not value
        given = json.loads(rows[name]) if as_json else rows[name]
        assert getattr(stage_settings("qa", {"qa": {name: given}}), name) == value


def test_the_page_s_example_is_taken() -> None:
    page = (ROOT / "docs" / "stages.md").read_text()
    example = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert example is not None
    stages = json.loads(example[1])["context"]["stages"]
    assert stage_settings("prod", stages).prod
    assert stage_settings("dev", stages).log_retention_days == 30


def test_the_current_runtime_is_that_of_the_synthesising_python() -> None:
    settings = stage_settings("qa", {"qa": {"runtime": "current"}})
    assert settings.runtime == f"python{sys.version_info[0]}.{sys.version_info[1]}"
