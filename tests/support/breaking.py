"""What of an OpenAPI document breaks the clients of an earlier one.

Small and on the safe side: it knows the keywords that our document has, and takes a change of a
keyword that it does not know for breaking. Descriptions, summaries, titles, tags and examples break
nobody.

| in a request, breaks                           | in an answer, breaks                          |
| ---------------------------------------------- | --------------------------------------------- |
| a parameter or field that is gone              | a field that is gone, or may be missing       |
| one that is new and required, or becomes it    | another type, or one type more (such as null) |
| another type, or one type less                 | a status of success that is gone, or new      |
| a narrower bound, pattern, or set of values    | another content type                          |

A value that is new in an answer's ``enum`` breaks nobody: docs/control.md tells clients to expect
it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Any
_SAID = {"description", "summary", "title", "tags", "examples", "example", "operationId", "default"}
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_STRUCTURE = {"properties", "required", "items", "anyOf", "oneOf", "enum", "type", "$ref", "const"}


def breaking(before: Json, after: Json) -> list[str]:
    """Each breaking difference as one line that names the operation and the place."""
    result: list[str] = []
    for path, methods in before["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            now = after["paths"].get(path, {}).get(method)
            if now is None:
                result.append(f"{name}: gone")
            else:
                result += (f"{name}: {line}" for line in _operation(operation, now, before, after))
    return result


def _operation(old: Json, new: Json, before: Json, after: Json) -> Iterator[str]:
    by_name = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
    now = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
    for key, parameter in by_name.items():
        at = f"{key[0]} {key[1]}"
        if key not in now:
            yield f"{at}: gone"
            continue
        if now[key].get("required") and not parameter.get("required"):
            yield f"{at}: required"
        schemas = parameter["schema"], now[key]["schema"]
        yield from _Comparison(before, after, sent=True).of(*schemas, at)
    for key in now.keys() - by_name.keys():
        if now[key].get("required"):
            yield f"{key[0]} {key[1]}: new and required"
    yield from _bodies(old.get("requestBody"), new.get("requestBody"), before, after)
    yield from _answers(old["responses"], new["responses"], before, after)


def _bodies(old: Json, new: Json, before: Json, after: Json) -> Iterator[str]:
    if old is None:
        if new is not None and new.get("required"):
            yield "body: new and required"
        return
    if new is None:
        yield "body: gone"
        return
    if new.get("required") and not old.get("required"):
        yield "body: required"
    compared = _Comparison(before, after, sent=True)
    yield from _contents(old["content"], new["content"], compared, "body")


def _answers(old: Json, new: Json, before: Json, after: Json) -> Iterator[str]:
    good = {status for status in old if status.startswith("2")}
    good_now = {status for status in new if status.startswith("2")}
    for status in sorted(good ^ good_now):
        yield f"answer {status}: {'gone' if status in good else 'new'}"
    compared = _Comparison(before, after, sent=False)
    for status in sorted(old.keys() & new.keys()):
        contents = old[status].get("content", {}), new[status].get("content", {})
        yield from _contents(*contents, compared, f"answer {status}")


def _contents(old: Json, new: Json, compared: "_Comparison", at: str) -> Iterator[str]:
    for media, content in old.items():
        if media not in new:
            yield f"{at}: no longer {media}"
        else:
            yield from compared.of(content["schema"], new[media]["schema"], at)


class _Comparison:
    """Schemas of two documents; ``sent``: clients write what they describe, else they read it."""

    def __init__(self, before: Json, after: Json, *, sent: bool) -> None:
        self._before = before
        self._after = after
        self._sent = sent
        self._seen: set[tuple[str, str]] = set()

    def of(self, old: Json, new: Json, at: str) -> Iterator[str]:
        """The breaking differences of one schema."""
        refs = str(old.get("$ref")), str(new.get("$ref"))
        if refs != ("None", "None"):
            if refs in self._seen:
                return
            self._seen.add(refs)
        old, new = _resolved(old, self._before), _resolved(new, self._after)
        yield from self._types(old, new, at)
        yield from self._fields(old, new, at)
        yield from self._bounds(old, new, at)
        if "items" in old and "items" in new:
            yield from self.of(old["items"], new["items"], f"{at}[]")
        values = old.get("additionalProperties"), new.get("additionalProperties")
        if all(isinstance(value, Mapping) for value in values):
            yield from self.of(values[0], values[1], f"{at}.*")
        elif self._sent and values[0] is not False and values[1] is False:
            yield f"{at}: no other fields any more"

    def _types(self, old: Json, new: Json, at: str) -> Iterator[str]:
        kinds, now = _kinds(old, self._before), _kinds(new, self._after)
        fewer, more = kinds.keys() - now.keys(), now.keys() - kinds.keys()
        lost = fewer if self._sent else more
        if lost:
            text = "no longer" if self._sent else "also"
            yield f"{at}: {text} {', '.join(sorted(lost))}"
        several = len(kinds) > 1 or len(now) > 1
        if several:
            for kind in sorted(kinds.keys() & now.keys()):
                yield from self.of(kinds[kind], now[kind], at)
        if self._sent and "enum" in new:
            for value in old.get("enum", ["any other value"]):
                if value not in new["enum"]:
                    yield f"{at}: no longer {value}"

    def _fields(self, old: Json, new: Json, at: str) -> Iterator[str]:
        fields, now = old.get("properties", {}), new.get("properties", {})
        needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
        for name in fields:
            if name not in now:
                yield f"{at}.{name}: gone"
            else:
                yield from self.of(fields[name], now[name], f"{at}.{name}")
        if self._sent:
            for name in sorted(needed_now - needed):
                yield f"{at}.{name}: required"
        else:
            for name in sorted((needed - needed_now) & now.keys()):
                yield f"{at}.{name}: may be missing"

    def _bounds(self, old: Json, new: Json, at: str) -> Iterator[str]:
        for ordered in sorted((old.keys() | new.keys()) - _SAID - _STRUCTURE):
            was, now = old.get(ordered), new.get(ordered)
            if was == now or ordered == "additionalProperties" or not self._sent:
                continue
            wider = now is None or (
                was is not None
                and ((ordered in _LOWER and now < was) or (ordered in _UPPER and now > was))
            )
            if not wider:
                yield f"{at}: {ordered} {was} is now {now}"


def _resolved(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kinds(schema: Json, document: Json) -> dict[str, Json]:
    """The types that a schema lets through, each with what it says of it."""
    choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
    kinds: dict[str, Json] = {}
    for choice in choices:
        resolved = _resolved(choice, document)
        types = resolved.get("type", "anything")
        for kind in types if isinstance(types, list) else [types]:
            kinds[kind] = resolved
    return kinds
