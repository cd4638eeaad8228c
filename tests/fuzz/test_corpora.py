"""Every seed, and every input that once broke a promise, holds; and each target has some."""

import importlib
from pathlib import Path

import pytest

from tests.fuzz.__main__ import HERE, names

SEEDS = sorted((HERE / "corpus").glob("*/*"))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_seed_holds(seed: Path) -> None:
    importlib.import_module(f"tests.fuzz.targets.{seed.parent.name}").check(seed.read_bytes())


def test_every_target_has_seeds() -> None:
    assert {path.parent.name for path in SEEDS} == {*names()}
