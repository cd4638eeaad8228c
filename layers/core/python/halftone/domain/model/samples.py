"""Samples: requests with the answers that a version must give before it gets traffic.

A sample has the form of what its model takes: records, free JSON, or a request to an app. In
``model.yaml`` and in a built manifest:

    {instances: [{…}], predictions: [{…}], tolerance: 0.001}                     records
    {request: …, response: …, tolerance: 0.001}                                  free JSON
    {method: POST, path: /score, body: …, status: 200, response: …, tolerance: 0.001}   an app

``predictions`` may be left out, and so may an app's ``response``: then any answer that fits the
signature, or has the status, will do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from halftone.domain.audit import canonical_json
from halftone.domain.errors import InvalidInput, unknown_field
from halftone.domain.model.schema import Field, read_records

DEFAULT_TOLERANCE = 1e-6
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True)
class Call:
    """A sample as a request: ``path`` is below the endpoint's own; ``body`` is JSON or None."""

    method: str
    path: str
    body: str | None


@dataclass(frozen=True)
class Sample:
    """Records that the model must answer with ``predictions``; with None, by any that fit.

    Floats may differ by ``tolerance``, absolute up to a magnitude of 1 and relative above it;
    everything else must be equal.
    """

    instances: tuple[Mapping[str, object], ...]
    predictions: tuple[Mapping[str, object], ...] | None
    tolerance: float = DEFAULT_TOLERANCE

    @property
    def call(self) -> Call:
        """The request."""
        return Call("POST", "/invocations", _json({"instances": self.instances}))

    def as_given(self) -> dict[str, object]:
        """The form that ``parse_samples`` reads."""
        document: dict[str, object] = {"instances": [dict(record) for record in self.instances]}
        if self.predictions is not None:
            document["predictions"] = [dict(record) for record in self.predictions]
        return {**document, "tolerance": self.tolerance}


@dataclass(frozen=True)
class JsonSample:
    """A JSON value that the model must answer with ``response``; tolerance as in ``Sample``."""

    request: object
    response: object
    tolerance: float = DEFAULT_TOLERANCE

    @property
    def call(self) -> Call:
        """The request."""
        return Call("POST", "/invocations", _json(self.request))

    def as_given(self) -> dict[str, object]:
        """The form that ``parse_samples`` reads."""
        return dict(vars(self))


@dataclass(frozen=True)
class AppSample:
    """A request to an app, the status of its answer and, unless None, the answer.

    ``path`` is the app's own, with the query if there is one. ``body`` is sent as JSON.
    """

    method: str
    path: str
    body: object = None
    status: int = 200
    response: object = None
    tolerance: float = DEFAULT_TOLERANCE

    @property
    def call(self) -> Call:
        """The request."""
        body = None if self.body is None else _json(self.body)
        return Call(self.method, f"/app{self.path}", body)

    def as_given(self) -> dict[str, object]:
        """The form that ``parse_samples`` reads."""
        return {name: value for name, value in vars(self).items() if value is not None}


AnySample = Sample | JsonSample | AppSample


def parse_record_samples(
    value: object, inputs: Sequence[Field], outputs: Sequence[Field]
) -> tuple[Sample, ...]:
    """The samples of a model with a signature.

    Raises:
        InvalidInput: with a path such as ``samples[0].instances[0].age``.
    """
    samples = []
    for at, document in _mappings(value, Sample, "{instances, predictions, tolerance}"):
        instances = read_records(f"{at}.instances", inputs, document.get("instances"))
        predictions = None
        if "predictions" in document:
            predictions = tuple(read_records(f"{at}.predictions", outputs, document["predictions"]))
            if len(predictions) != len(instances):
                expected = f"one prediction for each of the {len(instances)} instances"
                raise InvalidInput(f"{at}.predictions", document["predictions"], expected)
        samples.append(Sample(tuple(instances), predictions, _tolerance(at, document)))
    return tuple(samples)


def parse_json_samples(value: object) -> tuple[JsonSample, ...]:
    """The samples of a model that takes and gives any JSON.

    Raises:
        InvalidInput: with a path such as ``samples[0].response``.
    """
    samples = []
    for at, document in _mappings(value, JsonSample, "{request, response, tolerance}"):
        for name in ("request", "response"):
            if name not in document:
                raise InvalidInput(f"{at}.{name}", None, "a JSON value")
            _check_json(f"{at}.{name}", document[name])
        samples.append(
            JsonSample(document["request"], document["response"], _tolerance(at, document))
        )
    return tuple(samples)


def parse_app_samples(value: object) -> tuple[AppSample, ...]:
    """The samples of an app.

    Raises:
        InvalidInput: with a path such as ``samples[0].status``.
    """
    form = "{method, path, body, status, response, tolerance}"
    samples = []
    for at, document in _mappings(value, AppSample, form):
        method, path, status = (
            document.get("method"),
            document.get("path"),
            document.get("status", 200),
        )
        if method not in METHODS:
            raise InvalidInput(f"{at}.method", method, f"one of {', '.join(METHODS)}")
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            raise InvalidInput(f"{at}.path", path, "a path of the app, such as /score")
        if type(status) is not int or not 100 <= status <= 599:
            raise InvalidInput(f"{at}.status", status, "a status from 100 to 599")
        for name in ("body", "response"):
            _check_json(f"{at}.{name}", document.get(name))
        body, response = document.get("body"), document.get("response")
        tolerance = _tolerance(at, document)
        samples.append(AppSample(str(method), path, body, status, response, tolerance))
    return tuple(samples)


def _mappings(
    value: object, kind: type[AnySample], form: str
) -> list[tuple[str, Mapping[str, object]]]:
    if not isinstance(value, list) or not value:
        raise InvalidInput("samples", value, f"a list of at least one sample: {form}")
    mappings = []
    for i, document in enumerate(value):
        at = f"samples[{i}]"
        if not isinstance(document, Mapping):
            raise InvalidInput(at, document, f"a mapping: {form}")
        for key in document:
            if key not in kind.__dataclass_fields__:
                raise unknown_field(f"{at}.{key}", document[key], kind.__dataclass_fields__)
        mappings.append((at, document))
    return mappings


def _tolerance(at: str, document: Mapping[str, object]) -> float:
    tolerance = document.get("tolerance", DEFAULT_TOLERANCE)
    if type(tolerance) not in (int, float) or not 0 <= tolerance < 1:  # type: ignore[operator]
        raise InvalidInput(f"{at}.tolerance", tolerance, "a number from 0 to 1, such as 0.0001")
    return float(tolerance)  # type: ignore[arg-type]


def _check_json(at: str, value: object) -> None:
    # YAML has values that JSON has not: dates, sets, NaN, keys that are no text.
    try:
        canonical_json(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(at, value, f"a JSON value ({error})") from None


def _json(value: object) -> str:
    return canonical_json(value).decode()
