"""YAML that people write: it is read, or refused by file and line or by field.

The first byte of an input chooses what the file is, the rest is the file.
"""

import json
from collections.abc import Callable

from halftone.domain.endpoint.capacity import Capacity, dump_capacity, patched_capacity
from halftone.domain.endpoint.spec import load_spec
from halftone.domain.errors import InvalidInput
from halftone.domain.model.manifest_schema import load_manifest, manifest_from_json
from halftone.domain.rollout.plan_schema import dump_plan, load_plan
from halftone.domain.traffic.policy_schema import dump_policy, load_policy
from halftone.packaging.yaml import read_yaml


def _plan(value: object) -> None:
    plan = load_plan(value)
    assert load_plan(_as_json(dump_plan(plan))) == plan


def _serving(value: object) -> None:
    serving = load_policy(value)
    assert load_policy(_as_json(dump_policy(serving))) == serving


def _manifest(value: object) -> None:
    manifest = load_manifest(value)
    assert manifest_from_json(manifest.to_json()) == manifest


def _spec(value: object) -> None:
    spec = load_spec(value)
    assert load_plan(_as_json(dump_plan(spec.plan))) == spec.plan
    load_policy(_as_json(spec.serving))


def _upkeep(value: object) -> None:
    upkeep = patched_capacity(Capacity(), value)
    assert patched_capacity(Capacity(), _as_json(dump_capacity(upkeep))) == upkeep


READERS: tuple[Callable[[object], object], ...] = (_spec, _manifest, _plan, _serving, _upkeep)


def check(data: bytes) -> None:
    """A file has a value or an error that any stream can carry, and its value is written exactly.

    Raises:
        AssertionError: if it has neither.
    """
    read = READERS[(data[0] if data else 0) % len(READERS)]
    try:
        read(read_yaml(data[1:], "file.yaml"))
    except InvalidInput as error:
        _told(error)


def _told(error: InvalidInput) -> None:
    """An error names its field, and is a line that any stream can carry."""
    assert error.field
    assert len(str(error).encode()) < 10_000


def _as_json(value: object) -> object:
    """What is left of a value after its way through a template or a record."""
    return json.loads(json.dumps(value, allow_nan=False))
