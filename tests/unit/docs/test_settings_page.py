"""docs/settings.md tells of every field, and its example is one."""

import re

import yaml

from halftone.domain.traffic.policy_schema import FIELDS, load_policy
from tests.support.checkout import ROOT

PAGE = (ROOT / "docs" / "settings.md").read_text()


def test_every_field_is_told_of():
    part = PAGE.split("| field | default | is |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == [*FIELDS]


def test_the_example_can_be_declared():
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    assert {*load_policy(yaml.safe_load(example[1]))} < {*FIELDS}
