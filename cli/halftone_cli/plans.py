"""Plans as the command line names them."""

from pathlib import Path

import yaml

from halftone.domain.errors import InvalidInput
from halftone.domain.plan import PRESETS, Plan
from halftone.domain.plan_form import parse_plan
from halftone.domain.spec import parse_spec


def chosen_plan(given: str) -> Plan:
    """The plan that is meant by a preset's name or a file: an endpoint.yaml, or a plan alone.

    Raises:
        InvalidInput: naming ``--plan``, or the field of the file that is wrong.
    """
    if given in PRESETS:
        return PRESETS[given]
    try:
        value = yaml.safe_load(Path(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8"
        expected = f"{', '.join(PRESETS)} or a file that can be read ({why})"
        raise InvalidInput("--plan", given, expected) from None
    except yaml.YAMLError as error:
        raise InvalidInput("--plan", given, f"a file in YAML ({error})") from None
    if isinstance(value, dict) and "model" in value:
        return parse_spec(value).plan
    # What `plan show` prints stands below `plan:`, ready to be copied.
    return parse_plan(value["plan"] if isinstance(value, dict) and "plan" in value else value)
