"""A setting of an endpoint as text on one line: shares, rules, mirrors, tags and the rest."""

from collections.abc import Mapping


def setting(value: object) -> str:
    """A setting on one line; nothing for one that is not set."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{n}={_inner(inner)}" for n, inner in value.items() if inner not in (None, [])
        )
    if isinstance(value, list):
        return "; ".join(_rule(inner) or setting(inner) for inner in value)
    return _inner(value)


def _rule(value: object) -> str:
    """A routing rule in words, such as ``green if header x-tier is internal or beta``."""
    if not isinstance(value, Mapping) or not isinstance(value.get("match"), Mapping):
        return ""
    match = value["match"]
    conditions = [
        f"{kind} {name} is {_any(values)}"
        for kind, field in (("header", "headers"), ("query", "query"))
        for name, values in (match.get(field) or {}).items()
    ]
    conditions += [
        f"{kind} is {_any(match[field])}"
        for kind, field in (("client", "clients"), ("address", "addresses"))
        if match.get(field)
    ]
    return f"{value.get('to')} if {' and '.join(conditions) or 'any'}"


def _any(values: object) -> str:
    return " or ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)


def _inner(value: object) -> str:
    if isinstance(value, Mapping | list):
        return f"({setting(value)})"
    # Every digit: what is shown here is written into a file again.
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
