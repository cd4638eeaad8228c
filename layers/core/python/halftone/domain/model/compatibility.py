"""Whether clients of one package can be answered by another.

During a rollout both versions answer the same clients, and afterwards the new one alone does. So a
challenger must take every JSON body that fits the champion's signature, and answer every field that
the champion answers. Of packages without a signature only the interface can be compared.
"""

from halftone.domain.model.manifest import Interface, Manifest
from halftone.domain.model.schema import Field, FieldType

_TAKES = {
    Interface.RECORDS: "records that fit a signature",
    Interface.JSON: "any JSON value, without a signature",
    Interface.HTTP: "whole requests of an application",
}


def incompatibilities(before: Manifest, after: Manifest) -> tuple[str, ...]:
    """What clients of ``before`` would find amiss with ``after``, each in a clause; () if nothing.

    A number may take a wider type or wider bounds in an input, and an input that no client sends
    must have a default or be optional. An output keeps its shape, stays a text, a truth value, a
    whole number or a float, and does not become optional. New outputs are of no harm.
    """
    if before.interface is not after.interface:
        return (f"it takes {_TAKES[after.interface]}, and not {_TAKES[before.interface]}",)
    return (*_inputs(before.inputs, after.inputs), *_outputs(before.outputs, after.outputs))


def _inputs(before: tuple[Field, ...], after: tuple[Field, ...]) -> list[str]:
    sent, taken = ({field.name: field for field in fields} for fields in (before, after))
    problems = [f"input {name!r} is gone" for name in sent if name not in taken]
    problems += [
        f"input {name!r} is new, and no client sends it: give it a default, or make it optional"
        for name in taken.keys() - sent
        if not taken[name].may_be_absent
    ]
    for name in sent.keys() & taken:
        if not _takes_all(sent[name], taken[name]):
            was, now = sent[name].expected(), taken[name].expected()
            problems.append(f"input {name!r} was {was}, and is {now}")
    return sorted(problems)


def _takes_all(sent: Field, taken: Field) -> bool:
    if sent.shape != taken.shape:
        return False
    if (sent.optional and not taken.optional) or (sent.may_be_absent and not taken.may_be_absent):
        return False
    if _kind(sent) != _kind(taken) and (_kind(sent), _kind(taken)) != ("int", "float"):
        return False
    if _kind(sent) in (FieldType.STRING, FieldType.BOOL):
        return True
    (least, most), (low, high) = sent.bounds, taken.bounds
    return low <= least and most <= high


def _outputs(before: tuple[Field, ...], after: tuple[Field, ...]) -> list[str]:
    answered = {field.name: field for field in after}
    problems = []
    for field in before:
        now = answered.get(field.name)
        if now is None:
            problems.append(f"output {field.name!r} is gone")
        elif (now.shape, _kind(now)) != (field.shape, _kind(field)) or (
            now.optional and not field.optional
        ):
            was = field.expected()
            problems.append(f"output {field.name!r} was {was}, and is {now.expected()}")
    return problems


def _kind(field: Field) -> str:
    if field.type in (FieldType.STRING, FieldType.BOOL):
        return field.type
    return "float" if field.type.is_float else "int"
