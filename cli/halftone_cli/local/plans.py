"""Plans as the command line names them."""

from pathlib import Path

from halftone.domain.endpoint.spec import load_spec
from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.plan import PRESETS, Plan
from halftone.domain.rollout.plan_schema import load_plan
from halftone.packaging.yaml import read_yaml


def chosen_plan(text: str) -> Plan:
    """The plan that is meant by a preset's name or a file: an endpoint.yaml, or a plan alone.

    Raises:
        InvalidInput: naming ``--plan``, or the field of the file that is wrong.
    """
    if text in PRESETS:
        return PRESETS[text]
    try:
        content = Path(text).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        expected = f"{', '.join(PRESETS)} or a file that can be read ({why})"
        raise InvalidInput("--plan", text, expected) from None
    value = read_yaml(content, text)
    if isinstance(value, dict) and "model" in value:
        return load_spec(value).plan
    # What `plan show` prints stands below `plan:`, ready to be copied.
    return load_plan(value["plan"] if isinstance(value, dict) and "plan" in value else value)
