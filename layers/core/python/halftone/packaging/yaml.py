"""YAML that people write, read in one way wherever it stands."""

from collections.abc import Hashable
from typing import Any

import yaml

from halftone.domain.errors import InvalidInput
from halftone.domain.texts import check_texts

MAX_VALUES = 2_000_000
"""Values that a document may stand for: aliases of aliases can stand for any number of them."""

_MAX_DIGITS = 300
"""More digits than any number that a field takes; Python refuses to write 4,301 of them."""

# What the safe loader raises for a value that is not of its tag, such as `!!bool maybe`.
_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def read_yaml(text: str | bytes, source: str = "") -> Any:
    """What ``text`` (bytes: in UTF-8) says, with safe types alone; a name given twice is refused.

    Raises:
        InvalidInput: naming ``source`` and the line, or the path of a text that can't be stored.
    """
    text = _decoded(text, source)
    try:
        # A safe loader, with more rules.
        value = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}" if mark else "content"
        raise InvalidInput(line, error.problem, "YAML", source=source) from None
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        character = f"the character U+{error.character:04X}"
        raise InvalidInput(
            f"line {number}", character, "printable characters", source=source
        ) from None
    except RecursionError:
        raise InvalidInput("content", "nested too deep", "YAML", source=source) from None
    try:
        check_texts("", value)
    except InvalidInput as error:
        raise InvalidInput(error.field, error.value, error.expected, source=source) from None
    return value


def _decoded(text: str | bytes, source: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        number = text.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"line {number}", str(error), "UTF-8", source=source) from None


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


class _Loader(yaml.SafeLoader):
    """A safe loader that says of everything it refuses in which line it stands.

    A name given twice is an error, because the second one would win unseen. So is a document that
    holds itself, or that aliases blow up.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._checked: set[int] = set()
        self._sizes: dict[int, int] = {}

    def fetch_more_tokens(self) -> None:
        try:
            super().fetch_more_tokens()
        except (OverflowError, ValueError):
            # An escape such as "\UFFFFFFFF", which is no character.
            raise yaml.scanner.ScannerError(
                problem="an escape that is no character", problem_mark=self.get_mark()
            ) from None

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            self._measure(node)
        return node

    def _measure(self, node: yaml.Node) -> int:
        """How many values ``node`` stands for, its aliases included."""
        size = self._sizes.get(id(node))
        if size == 0:
            raise _refused("a value that holds itself", node)
        if size is None:
            self._sizes[id(node)] = 0
            size = 1
            if isinstance(node, yaml.CollectionNode):
                for part in node.value:
                    size += sum(map(self._measure, part if isinstance(part, tuple) else (part,)))
            if size > MAX_VALUES:
                raise _refused(f"more than {MAX_VALUES} values, by aliases", node)
            self._sizes[id(node)] = size
        return size

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep=deep)
        except _MISFITS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise _refused(f"no value of {tag}", node) from None
        if type(value) is int and value.bit_length() > 4 * _MAX_DIGITS:
            raise _refused("a number of too many digits", node)
        return value

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # Before keys of other mappings (`<<: *other`) come in, which may be given anew.
        if id(node) not in self._checked:
            self._checked.add(id(node))
            self._check_names(node)
        super().flatten_mapping(node)

    def _check_names(self, node: yaml.MappingNode) -> None:
        seen: set[object] = set()
        for key, _ in node.value:
            merges = key.tag == "tag:yaml.org,2002:merge"
            name: Any = key.value if merges else self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                continue  # told by the loader itself, with its line
            if name in seen:
                raise _refused(f"{name} is given twice", key)
            seen.add(name)
