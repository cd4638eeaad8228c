"""What the README shows can be done: its files parse, its commands exist, its links lead on."""

import re
from pathlib import Path

import pytest
import yaml

from halftone.domain.endpoint.spec import load_spec
from halftone.domain.model.manifest_schema import load_manifest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def yaml_block(containing: str) -> object:
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
    return yaml.safe_load(next(block for block in blocks if containing in block))


def test_the_model_package_on_the_page_is_one() -> None:
    assert load_manifest(yaml_block("flavor:")).name == "churn"


def test_the_endpoint_on_the_page_is_one() -> None:
    assert load_spec(yaml_block("plan:")).name == "churn"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z]+)", README))))
def test_every_make_command_on_the_page_exists(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)
