"""Metrics written as log lines: CloudWatch's embedded metric format, parsed as a pure function.

Source: "Specification: Embedded metric format",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_VALUES = 100
MAX_DIMENSIONS = 30
MAX_METRICS = 100
MAX_NUMBER = 2.0**360
"""The largest value that CloudWatch takes ("MetricDatum", PutMetricData)."""


@dataclass(frozen=True)
class MetricValues:
    """The values of one metric under one set of dimensions; ``resolution`` is 1 or 60 seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str
    resolution: int
    time: float
    values: tuple[float, ...]


class _InvalidError(ValueError):
    """The document breaks the specification: CloudWatch Logs keeps the line, makes no metric."""


def metrics_in(line: str) -> list[MetricValues]:
    """The metrics that a log line carries; none for a line that is no valid document."""
    if not line.lstrip().startswith("{"):
        return []
    try:
        # JSON can spell the name _aws in other ways, and has no NaN.
        document = json.loads(line, parse_constant=_refuse)
        return list(_metrics(document))
    except (ValueError, RecursionError, OverflowError):
        return []


def _refuse(name: str) -> NoReturn:
    raise _InvalidError(name)


def _metrics(document: Any) -> Iterator[MetricValues]:
    metadata = _typed(_typed(document, dict).get("_aws"), dict)
    time = _typed(metadata.get("Timestamp"), int) / 1000
    for directive in _typed(metadata.get("CloudWatchMetrics"), list):
        namespace = _typed(_typed(directive, dict).get("Namespace"), str)
        definitions = _typed(directive.get("Metrics"), list)
        if len(definitions) > MAX_METRICS or not namespace:
            raise _InvalidError(namespace)
        sets = [_dimensions(document, names) for names in _typed(directive.get("Dimensions"), list)]
        for definition in definitions:
            name = _typed(_typed(definition, dict).get("Name"), str)
            values = _values(document.get(name))
            resolution = definition.get("StorageResolution", 60)
            if resolution not in (1, 60):
                raise _InvalidError(name)
            for dimensions in sets:
                yield MetricValues(
                    namespace=namespace,
                    name=name,
                    dimensions=dimensions,
                    unit=_typed(definition.get("Unit", "None"), str),
                    resolution=resolution,
                    time=time,
                    values=values,
                )


def _dimensions(document: Mapping[str, Any], names: Any) -> Mapping[str, str]:
    if len(_typed(names, list)) > MAX_DIMENSIONS:
        raise _InvalidError(str(names))
    return {_typed(name, str): _typed(document.get(name), str) for name in names}


def _values(target: Any) -> tuple[float, ...]:
    values = target if isinstance(target, list) else [target]
    if not 0 < len(values) <= MAX_VALUES:
        raise _InvalidError(f"{len(values)} values")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise _InvalidError(str(target))
    if not all(abs(v) <= MAX_NUMBER for v in values):
        raise _InvalidError(str(target))
    return tuple(float(v) for v in values)


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _InvalidError(f"{value!r} is no {kind.__name__}")
    return value
