"""Scoring: from a request to the model's answer, without asking who sent it or why.

All that hangs on the signature alone is made when the model is loaded. Of a request's records the
model gets dicts or, where it computes on arrays, arrays that no dict was made for.

Imported with a model and never before: it needs msgspec.
"""

import base64
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from halftone.domain.errors import InvalidInput
from halftone.domain.model.manifest import Interface
from halftone.domain.model.schema import Field, FieldType, read_records
from halftone.serving.http.body import body_of, bytes_of, read_json
from halftone.serving.http.caller import NOBODY, Context
from halftone.serving.http.request import Request, Route
from halftone.serving.http.response import JSON, ModelFault, Problem, Response, as_json, is_status
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.protocols import open_inference
from halftone.serving.protocols.plain_json import records_in
from halftone.serving.protocols.tensors import flat, from_bytes, nested, to_bytes
from halftone.serving.protocols.validation import ColumnCheck, Record, RecordCheck, decode, encode

MAX_ANSWER = 6_000_000
"""Bytes of an answer as Lambda carries it, below its limit of 6 MB for the whole response."""

# Since Python 3.12 Lambda carries other characters in UTF-8, before that in 6 or 12 bytes each.
_ESCAPED = sys.version_info < (3, 12)

_CSV = ("text/csv", "application/csv")
_PARQUET = "application/vnd.apache.parquet"
# Python 3.11 reads an enum's member by a call.
_APP, _INVOKE = Route.APP, Route.INVOKE
_MISFIT = "the model's answer does not fit its signature"


@dataclass(slots=True)
class Kept:
    """An ``Exchange`` that is made of what scoring had in its hands, or reads again."""

    given: Callable[[], object]
    found: Callable[[], object]

    def instances(self) -> object:
        """See Exchange."""
        return self.given()

    def predictions(self) -> object:
        """See Exchange."""
        return self.found()

    def output(self, name: str) -> Sequence[object]:
        """See Exchange."""
        found = self.found()
        records = found if isinstance(found, list) else [found]
        return [record[name] for record in records if isinstance(record, dict) and name in record]


class Scorer:
    """Answers prediction requests by one model. Bodies are at most ``max_body`` bytes."""

    def __init__(self, model: LoadedModel, endpoint: str, max_body: int) -> None:
        self.model = model
        self._endpoint = endpoint
        self._max_body = max_body
        inputs, outputs = model.manifest.inputs, model.manifest.outputs
        self._inputs, self._outputs = inputs, outputs
        self._takes_records = model.manifest.interface is Interface.RECORDS
        self._input_check, self._output_check = RecordCheck(inputs), RecordCheck(outputs)
        self._input_columns = {field.name: ColumnCheck(field) for field in inputs}
        self._output_columns = {field.name: ColumnCheck(field) for field in outputs}
        self._columnar: Any = None
        if model.arrays is not None:
            # numpy comes with such a model and with no other.
            from halftone.serving.inference import columnar  # noqa: PLC0415

            self._columnar, self._stack = columnar, columnar.Stack(inputs)
            self._shapes = columnar.Shapes(outputs)

    def score(self, request: Request, context: Context = NOBODY, *, version: str = "") -> Response:
        """The model's answer to a request on a route that asks it.

        Raises:
            Problem: if the request can't be taken, or its answer not be sent.
            ModelFault: if the model is at fault.
        """
        asked = request.route
        if asked is _APP or not self._takes_records:
            passed_on = asked is _APP or self.model.asgi is not None
            return self._pass_on(request, context) if passed_on else self._free(request, context)
        _check_charset(request.headers)
        encoding = request.headers.get("content-encoding")
        body = body_of(request.event, self._max_body, encoding)
        try:
            if asked is _INVOKE:
                return self._plain(body, request.headers, context)
            return self._v2(body, request.headers, context, version)
        except InvalidInput as error:
            raise Problem.of_input(error) from None
        except RecursionError:
            # Met by whoever shows the value in an error.
            raise Problem(400, "the body is nested too deeply", field="body") from None

    # Plain JSON ------------------------------------------------------------------------------

    def _plain(self, body: str | bytes, headers: Mapping[str, str], context: Context) -> Response:
        # Most bodies are records that fit; the judge reads any other, or names what does not.
        structs = self._input_check.decode(body)
        if structs is None:
            at, value = self._other_form(body, headers)
            structs = self._input_check.structs(value)
            if structs is None:
                records = read_records(at, self._inputs, value)
        given: Callable[[], object]
        if self._columnar is None:
            records = records if structs is None else self._input_check.dicts(structs)
            count, given = len(records), partial(self._sent, body, headers)
            found = self._ask(records, context)
            checked, text = self._encoded(found, self._output_check.structs(found), count)
        else:
            stack, columnar, outputs = self._stack, self._columnar, self._outputs
            arrays = stack.records(records) if structs is None else stack.structs(structs)
            count = len(records if structs is None else structs)
            given = partial(columnar.records_of, self._inputs, arrays)
            made = self._ask_arrays(arrays, count)
            predicted = self._output_check.of_columns(columnar.columns_of(outputs, made))
            found = columnar.records_of(outputs, made) if predicted is None else predicted
            checked, text = self._encoded(found, predicted, count)
        if _too_large(text):
            raise Problem(413, f"the answer to {count} instances is too large: send fewer at once")
        return Response(200, text, exchange=Kept(given, checked))

    def _sent(self, body: str | bytes, headers: Mapping[str, str]) -> list[Record]:
        """The records in a body that was answered, read anew: a model may have changed those that
        it got, and put what is redacted under another name.
        """
        structs = self._input_check.decode(body)
        if structs is not None:
            return self._input_check.dicts(structs)
        return read_records("", self._inputs, self._other_form(body, headers)[1])

    def _other_form(self, body: str | bytes, headers: Mapping[str, str]) -> tuple[str, object]:
        sent_as = headers.get("content-type", "").partition(";")[0].strip().lower()
        if sent_as in _CSV:
            from halftone.serving.protocols.csv import csv_records  # noqa: PLC0415

            return csv_records(body, self._inputs)
        if sent_as == _PARQUET:
            raise Problem(415, f"content-type is {sent_as!r}, expected JSON or text/csv")
        return records_in(decode(body), self._inputs)

    def _encoded(
        self, found: object, structs: list[Any] | None, count: int
    ) -> tuple[Callable[[], object], str]:
        """Predictions that fit the signature, and the body that they make. ``structs`` are those of
        ``found``, where they were found to fit already.
        """
        check = self._output_check
        predictions: list[Any]
        try:
            if structs is None:
                predictions = read_records("predictions", self._outputs, found)
            else:
                predictions = structs
        except (InvalidInput, RecursionError) as error:
            raise ModelFault(_MISFIT) from error
        if len(predictions) != count:
            expected = f"one prediction for each of the {count} instances"
            raise ModelFault(_MISFIT) from InvalidInput("predictions", len(predictions), expected)
        text = encode({"predictions": predictions}).decode()
        return partial(_itself if structs is None else check.dicts, predictions), text

    # Open Inference Protocol -----------------------------------------------------------------

    def _v2(
        self, body: str | bytes, headers: Mapping[str, str], context: Context, version: str
    ) -> Response:
        asked = open_inference.read(body, headers, self._inputs, self._outputs)
        count = asked.count
        reply = open_inference.Reply(self._endpoint, version, asked.id, count)
        if self._columnar is None:
            answered = self._ask(self._records(asked), context)
            found, _ = self._encoded(answered, self._output_check.structs(answered), count)
            given: Callable[[], object] = partial(self._records, asked)
            predictions = found()
            assert isinstance(predictions, list)  # noqa: S101
            for field, binary in asked.outputs:
                elements = _column(field, predictions)
                reply.add(field, _as_bytes(field, elements) if binary else elements)
        else:
            columnar, inputs, outputs = self._columnar, self._inputs, self._outputs
            arrays = {tensor.field.name: self._array(tensor, count) for tensor in asked.tensors}
            made = self._ask_arrays(arrays, count)
            given = partial(columnar.records_of, inputs, arrays)
            found = partial(columnar.records_of, outputs, made)
            for field, binary in asked.outputs:
                reply.add(field, self._tensor(field, made[field.name], binary=binary))
        answer = reply.to_response()
        size = len(answer.body) * 4 // 3 if isinstance(answer.body, bytes) else 0
        if size > MAX_ANSWER or (isinstance(answer.body, str) and _too_large(answer.body)):
            raise Problem(413, f"the answer to {count} records is too large: send fewer at once")
        answer.exchange = Kept(given, found)
        return answer

    def _records(self, asked: open_inference.Inference) -> list[Record]:
        columns = {}
        for tensor in asked.tensors:
            field, shape = tensor.field, (asked.count, *tensor.field.shape)
            columns[field.name] = nested(self._elements(tensor, asked.count), shape)
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _elements(self, tensor: open_inference.Tensor, count: int) -> list[object]:
        elements = tensor.elements
        if elements is None:
            elements = _read_bytes(tensor)
            expected = count * prod(tensor.field.shape)
            if len(elements) != expected:
                actual = f"{len(elements)} elements"
                raise InvalidInput(f"{tensor.at}.data", actual, f"{expected}, as its shape says")
        return self._input_columns[tensor.field.name].read(f"{tensor.at}.data", elements)

    def _array(self, tensor: open_inference.Tensor, count: int) -> Any:
        field = tensor.field
        if tensor.elements is None and field.type is not FieldType.STRING:
            return self._columnar.of_bytes(f"{tensor.at}.data", field, tensor.data, count)
        return self._columnar.of_elements(field, self._elements(tensor, count), count)

    def _tensor(self, field: Field, array: Any, *, binary: bool) -> list[object] | bytes:
        """What a client gets of an output, which must fit the signature."""
        try:
            if binary and field.type is not FieldType.STRING:
                self._columnar.check_bounds(field.name, field, array.reshape(-1))
                if field.type.is_float or not self._columnar.has_missing(array):
                    made: bytes = self._columnar.to_bytes(field, array)
                    return made
            flattened = self._columnar.plain_values(field, array.reshape(-1))
            elements = self._output_columns[field.name].read(field.name, flattened)
        except InvalidInput as error:
            raise ModelFault(_MISFIT) from error
        return _as_bytes(field, elements) if binary else elements

    # The model -------------------------------------------------------------------------------

    def _ask(self, given: Any, context: Context) -> object:
        try:
            return self.model.predict(given, context)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a model's code can raise anything
            raise ModelFault("the model raised an exception") from error

    def _ask_arrays(self, arrays: Mapping[str, Any], count: int) -> Mapping[str, Any]:
        assert self.model.arrays is not None  # noqa: S101
        try:
            found = self.model.arrays(arrays)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a model's code can raise anything
            raise ModelFault("the model raised an exception") from error
        try:
            return self._shapes.of(found, count)
        except (InvalidInput, LookupError, ValueError, TypeError) as error:
            raise ModelFault(_MISFIT) from error

    # Without a signature ---------------------------------------------------------------------

    def _free(self, request: Request, context: Context) -> Response:
        if request.route is not Route.INVOKE:
            raise Problem(400, "this model has no signature, and so no tensors; POST JSON to it")
        _check_charset(request.headers)
        given = read_json(request, self._max_body)
        found = self._ask(given, context)
        try:
            text = as_json(found)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelFault("the model's answer is no JSON value") from error
        if _too_large(text):
            raise Problem(413, "the answer is too large")
        sent = partial(read_json, request, self._max_body)
        return Response(200, text, exchange=Kept(sent, partial(_itself, found)))

    def _pass_on(self, request: Request, context: Context) -> Response:
        asgi = self.model.asgi
        if asgi is None:
            raise Problem(404, "this endpoint serves no app; POST to its path /invocations")
        if request.route is not Route.APP:
            raise Problem(404, "this endpoint serves an app, below its path /app")
        body = base64.b64encode(bytes_of(request.event, self._max_body)).decode()
        try:
            found = asgi({**request.event, "body": body, "isBase64Encoded": True}, context)
        except (KeyboardInterrupt, Problem):
            raise
        except BaseException as error:  # an app can raise anything
            raise ModelFault("the app raised an exception") from error
        status, text = found.get("statusCode"), found.get("body")
        if type(status) is not int or not is_status(status) or type(text) is not str:
            # Neither an HTTP API nor who counts failures could make anything of it.
            wrong = InvalidInput("status", status, "a number from 200 to 599")
            raise ModelFault("the app's answer is none of HTTP") from wrong
        if _too_large(text):
            raise Problem(413, "the app's answer is too large")
        headers = dict(found.get("headers", {}))
        return Response(
            status,
            base64.b64decode(text) if found["isBase64Encoded"] else text,
            headers.pop("content-type", JSON),
            headers,
            found.get("cookies", ()),
        )


_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
_UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")


def _check_charset(headers: Mapping[str, str]) -> None:
    """Let pass what is UTF-8. A body in another encoding would be read as other characters.

    Raises:
        Problem: 415 for another charset.
    """
    sent_as = headers.get("content-type")
    if sent_as is None or ";" not in sent_as:
        return
    charset = _CHARSET.search(sent_as)
    if charset is not None and charset[1].lower() not in _UTF_8:
        raise Problem(415, f"the charset is {charset[1][:40]!r}, expected utf-8")


def _itself(value: object) -> object:
    return value


def _read_bytes(tensor: open_inference.Tensor) -> list[object]:
    try:
        return from_bytes(tensor.field.type, tensor.data)
    except ValueError as error:
        raise InvalidInput(f"{tensor.at}.data", str(error), tensor.field.expected()) from None


def _column(field: Field, records: Sequence[Mapping[str, object]]) -> list[object]:
    values = [record[field.name] for record in records]
    if not field.shape:
        return values
    if field.optional:
        missing = [None] * prod(field.shape)
        return [
            element for value in values for element in (missing if value is None else flat([value]))
        ]
    return flat(values)


def _as_bytes(field: Field, elements: list[object]) -> bytes:
    """The bytes of an output; a missing float is NaN.

    Raises:
        InvalidInput: if something else is missing, which no bytes stand for.
    """
    if field.optional and None in elements:
        if not field.type.is_float:
            expected = f"JSON in place of bytes: no bytes of {field.type} stand for a missing value"
            raise InvalidInput(f"outputs.{field.name}", None, expected)
        elements = [math.nan if element is None else element for element in elements]
    return to_bytes(field.type, elements)


def _too_large(text: str) -> bool:
    # In the response that Lambda carries, the body is a text of JSON's.
    if len(text) <= MAX_ANSWER // 12:
        return False
    if text.isascii():
        return len(text) + text.count('"') + text.count("\\") > MAX_ANSWER
    return len(json.dumps(text, ensure_ascii=_ESCAPED).encode(errors="replace")) > MAX_ANSWER
