"""YAML that people write, read in one way wherever it stands."""

from collections.abc import Hashable
from typing import Any

import yaml

from halftone.domain.errors import InvalidInput


def read_yaml(text: str | bytes, source: str = "") -> Any:
    """What ``text`` (bytes: in UTF-8) says, with safe types alone; a name given twice is refused.

    Raises:
        InvalidInput: naming ``source`` and the line, where there is one.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        # A safe loader, with one rule more.
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}" if mark else "content"
        raise InvalidInput(line, error.problem, "YAML", source=source) from None
    except (yaml.YAMLError, ValueError) as error:  # also bytes that are no UTF-8, and a month 13
        why = " ".join(str(error).split())
        raise InvalidInput("content", why, "YAML in UTF-8", source=source) from None
    except RecursionError:
        raise InvalidInput("content", "nested too deep", "YAML", source=source) from None


class _Loader(yaml.SafeLoader):
    """YAML where a name given twice is an error: the second one would win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                continue  # told by the loader itself, with its line
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{name} is given twice", problem_mark=key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep=deep)
