"""The plain JSON protocol, as a client of an endpoint meets it."""

import base64
import gzip
import json
import zlib

import pytest

MALFORMED = '{"instances": [{"x": 1}'


def body_of(answer):
    return json.loads(answer["body"])


def test_a_batch_is_answered_in_order(serve):
    answer = serve().post({"instances": [{"x": 1}, {"x": -2.5}]})
    assert answer["statusCode"] == 200
    assert body_of(answer) == {"predictions": [{"y": 2.0}, {"y": -5.0}]}
    assert answer["headers"] == {
        "content-type": "application/json",
        "x-request-id": "request-1.3",
        "x-halftone-version": "3",
    }
    assert answer["isBase64Encoded"] is False


def test_a_body_in_base64_is_the_same_body(serve):
    served = serve()
    body = base64.b64encode(b'{"instances": [{"x": 4}]}').decode()
    answer = served.post(body, isBase64Encoded=True)
    assert body_of(answer) == {"predictions": [{"y": 8.0}]}


def test_a_stage_before_the_path_is_left_to_api_gateway(serve):
    answer = serve().post({"instances": [{"x": 1}]}, path="/v1/endpoints/double/invocations")
    assert answer["statusCode"] == 200


def test_the_endpoint_describes_itself(serve):
    served = serve()
    event = {"rawPath": "/endpoints/double", "requestContext": {"http": {"method": "GET"}}}
    answer = served.send(event)
    assert answer["statusCode"] == 200
    assert body_of(answer) == {
        "endpoint": "double",
        "version": "3",
        "deployment": "rollout-1",
        "package": {"name": "doubler", "digest": served.package.digest},
        "flavor": "python",
        "description": "Twice the number.",
        "inputs": [{"name": "x", "type": "float64", "minimum": -1e6, "maximum": 1e6}],
        "outputs": [{"name": "y", "type": "float64"}],
        "samples": [{"instances": [{"x": 1.5}]}],
    }
    assert served.log == []


@pytest.mark.parametrize(
    ("body", "status", "field", "value"),
    [
        ("", 400, "body", None),
        ("no json", 400, "body", "no json"),
        (MALFORMED, 400, "body", MALFORMED),
        ('{"instances": [{"x": NaN}]}', 400, "body", '{"instances": [{"x": NaN}]}'),
        ("[" * 100_000, 400, "body", None),
        ('{"instances": ' + "[" * 900 + "]" * 900 + "}", None, None, None),
        ("[1]", 422, "body", "[1]"),
        ("null", 422, "body", None),
        ("{}", 422, "body", "{}"),
        ('{"instances": {}}', 422, "instances", "{}"),
        ('{"instances": []}', 422, "instances", "[]"),
        ('{"instances": [{"x": 1}], "id": 7}', 422, "id", 7),
        ('{"instances": [{"x": 1}, {"x": "1"}]}', 422, "instances[1].x", "1"),
        ('{"instances": [{"x": 1e999}]}', 422, "instances[0].x", "inf"),
        ('{"instances": [{"x": 1000001}]}', 422, "instances[0].x", 1000001),
        ('{"instances": [{"x": 1, "y": true}]}', 422, "instances[0].y", True),
        ('{"instances": [{}]}', 422, "instances[0].x", None),
    ],
)
def test_a_body_that_does_not_fit_is_a_problem_with_its_field(serve, body, status, field, value):
    served = serve()
    answer = served.post(body)
    problem = body_of(answer)
    assert answer["statusCode"] in ([status] if status else (400, 422))
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert problem["status"] == answer["statusCode"]
    assert problem["title"]
    assert problem["detail"]
    if status:
        assert problem["field"] == field
        assert problem.get("value") == value
    (metrics,) = served.metrics
    assert metrics["Errors"] == 0
    assert served.faults == []


def test_a_long_value_is_shown_in_part(serve):
    answer = serve().post({"instances": [{"x": "s" * 50_000}]})
    assert answer["statusCode"] == 422
    assert len(answer["body"]) < 1000


@pytest.mark.parametrize("kind", ["instances", "inputs"])
def test_a_long_name_is_shown_in_part(serve, kind):
    # A body within its limit must not make an answer that Lambda can't carry.
    name = "\N{PRINTER}" * 7_000
    fields = {"instances": [{"x": 1, name: 2}], "inputs": {"x": [1], name: [1, 2], "y": [1]}}
    answer = serve().post({kind: fields[kind]})
    assert answer["statusCode"] == 422
    assert len(answer["body"]) < 30_000


@pytest.mark.parametrize("broken", ["&&&", "e30"])
def test_broken_base64_is_a_problem(serve, broken):
    answer = serve().post(broken, isBase64Encoded=True)
    assert answer["statusCode"] == 400


def test_bytes_that_are_no_text_are_a_problem(serve):
    body = base64.b64encode(b"\xff\xfe\x00").decode()
    assert serve().post(body, isBase64Encoded=True)["statusCode"] == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_a_compressed_body_is_unpacked(serve, encoding):
    served = serve(max_body=1000)
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding]

    def post(data):
        body = base64.b64encode(data).decode()
        return served.post(body, isBase64Encoded=True, headers={"Content-Encoding": encoding})

    assert post(pack(b'{"instances": [{"x": 4}]}'))["statusCode"] == 200
    assert post(pack(b" " * 1001))["statusCode"] == 413
    assert post(pack(b'{"instances": [{"x": 4}]}')[:-5])["statusCode"] == 400
    assert post(b"\x00\xff not packed")["statusCode"] == 400


@pytest.mark.parametrize("encoding", ["GZIP", " gzip ", "x-gzip", "X-Gzip"])
def test_the_name_of_an_encoding_has_no_case(serve, encoding):
    body = base64.b64encode(gzip.compress(b'{"instances": [{"x": 4}]}')).decode()
    answer = serve().post(body, isBase64Encoded=True, headers={"content-encoding": encoding})
    assert answer["statusCode"] == 200


def test_nothing_sent_after_a_compressed_body_is_passed_over(serve):
    packed = gzip.compress(b'{"instances": [{"x": 4}]}')
    body = base64.b64encode(packed + b"more").decode()
    answer = serve().post(body, isBase64Encoded=True, headers={"content-encoding": "gzip"})
    assert answer["statusCode"] == 400
    assert "more follows after its end" in body_of(answer)["detail"]


def test_a_compressed_body_may_have_several_members(serve):
    packed = gzip.compress(b'{"instances": ') + gzip.compress(b"") + gzip.compress(b'[{"x": 4}]}')
    body = base64.b64encode(packed).decode()
    headers = {"content-encoding": "gzip"}
    served = serve(max_body=100)
    assert served.post(body, isBase64Encoded=True, headers=headers)["statusCode"] == 200
    many = base64.b64encode(gzip.compress(b"x" * 51) * 2).decode()
    assert served.post(many, isBase64Encoded=True, headers=headers)["statusCode"] == 413
    cut = base64.b64encode(packed[:-3]).decode()
    assert served.post(cut, isBase64Encoded=True, headers=headers)["statusCode"] == 400


def test_a_byte_order_mark_before_json_is_passed_over(serve):
    served = serve()
    for body in ('\ufeff{"instances": [{"x": 4}]}', '\ufeff{"inputs": [{"x": 4}]}'):
        assert body_of(served.post(body)) == {"predictions": [{"y": 8.0}]}
        carried = base64.b64encode(body.encode()).decode()
        assert body_of(served.post(carried, isBase64Encoded=True)) == {"predictions": [{"y": 8.0}]}


TWICE = [
    '{"instances": [{"x": 4, "x": 5}]}',
    '{"instances": [{"x": 1}, {"x": 4 , "x" : 5}]}',
    '{"instances": [{"x": 4, "\\u0078": 5}]}',
    '{"instances": [], "instances": [{"x": 1}]}',
    '{"inputs": {"x": [4], "x": [5]}}',
    '{"inputs": [{"x": 4}, {"x": 5, "x": 6}]}',
    '{"inputs": [{"x": 4}], "params": {"x": 1, "x": 2}}',
    '{"dataframe_split": {"columns": ["x"], "data": [[1]], "data": [[2]]}}',
]


@pytest.mark.parametrize("body", TWICE)
def test_a_name_twice_in_one_object_is_refused_by_its_name(serve, body):
    served = serve()
    for sent in (body, body.replace(" ", ""), body.replace(":", "\n:")):
        answer = served.post(sent)
        assert answer["statusCode"] == 400
        assert "twice in one object" in body_of(answer)["detail"]
        tensors = '{"inputs": [], "inputs": [{"name": "x", "name": "x"}]}'
        assert served.post(tensors, path="/v2/models/double/infer")["statusCode"] == 400


def test_colons_in_texts_are_no_names(serve):
    texts = {
        "inputs": [{"name": "x", "type": "string"}],
        "outputs": [{"name": "y", "type": "string"}],
        "samples": [{"instances": [{"x": "a"}]}],
    }
    served = serve("def run(given):\n    return [{'y': one['x']} for one in given]\n", texts)
    for text in (":", "a: b", '":', '" :', '{"x":1,"x":2}', "\\:", '\\":'):
        answer = served.post({"instances": [{"x": text}, {"x": "b"}]})
        assert body_of(answer) == {"predictions": [{"y": text}, {"y": "b"}]}


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", '"iso-8859-1"', "x"])
def test_a_charset_other_than_utf_8_is_refused(serve, charset):
    served = serve()
    body = '{"instances": [{"x": 4}]}'
    for name in ("application/json", "text/csv"):
        headers = {"content-type": f"{name}; Charset={charset}"}
        answer = served.post(body, headers=headers)
        assert (answer["statusCode"], "expected utf-8" in body_of(answer)["detail"]) == (415, True)
    for same in ("utf-8", "UTF8", '"utf-8"', "US-ASCII"):
        headers = {"content-type": f"application/json; charset={same}"}
        assert served.post(body, headers=headers)["statusCode"] == 200


def test_messages_about_json_speak_json(serve):
    served = serve()
    for value, message in [("null", "null"), ("true", "true"), ("[false, null]", "[false, null]")]:
        problem = body_of(served.post(f'{{"instances": [{{"x": {value}}}]}}'))
        assert problem["detail"].startswith(f"instances[0].x is {message}, expected")


@pytest.mark.parametrize(
    "path", ["", "/health", "/openapi.json", "/v2", "/v2/", "/v2/health/live", "/v2/models/double"]
)
def test_head_is_get_without_a_body(serve, path):
    served = serve()
    event = {"rawPath": f"/endpoints/double{path}"}
    got = served.send({**event, "requestContext": {"http": {"method": "GET"}}})
    head = served.send({**event, "requestContext": {"http": {"method": "HEAD"}}})
    assert (got["statusCode"], head["statusCode"]) == (200, 200)
    assert got["body"] != ""
    assert head == {**got, "body": ""}


@pytest.mark.parametrize("path", ["", "/health", "/openapi.json"])
def test_a_query_parameter_that_is_not_known_is_refused(serve, path):
    served = serve()
    event = {
        "rawPath": f"/endpoints/double{path}",
        "requestContext": {"http": {"method": "GET"}},
        "queryStringParameters": {"verson": "3"},
    }
    problem = body_of(served.send(event))
    assert (problem["status"], problem["field"], problem["value"]) == (400, "verson", "3")
    assert "known: version, model" in problem["detail"]


def test_another_encoding_is_refused(serve):
    answer = serve().post("{}", headers={"content-encoding": "br"})
    assert answer["statusCode"] == 415
    assert "expected gzip, deflate or identity" in body_of(answer)["detail"]


def test_size_is_counted_in_bytes_and_its_limit_is_inclusive(serve):
    served = serve(max_body=60)
    exact = '{"instances": [{"x": 1}]}'.ljust(60)
    assert served.post(exact)["statusCode"] == 200
    assert served.post(exact + " ")["statusCode"] == 413
    umlauts = '{"instances": "' + "ü" * 25 + '"}'
    assert len(umlauts) < 60 < len(umlauts.encode())
    assert served.post(umlauts)["statusCode"] == 413
    encoded = base64.b64encode(exact.encode()).decode()
    assert served.post(encoded, isBase64Encoded=True)["statusCode"] == 200
    problem = body_of(served.post("x" * 61))
    assert problem["detail"] == "the body has 61 bytes, expected at most 60"


@pytest.mark.parametrize(
    ("letter", "few", "many"), [('"', 10, 20), ("\N{HIRAGANA LETTER A}", 5, 25)]
)
def test_an_answer_lambda_could_not_carry_asks_for_less(serve, letter, few, many):
    served = serve(
        f"def run(instances):\n    return [{{'y': {letter!r} * 100_000}} for _ in instances]",
        manifest={
            "outputs": [{"name": "y", "type": "string"}],
            "samples": [{"instances": [{"x": 1}], "predictions": [{"y": "?"}]}],
        },
    )
    assert served.post({"instances": [{"x": 1}] * few})["statusCode"] == 200
    answer = served.post({"instances": [{"x": 1}] * many})
    assert answer["statusCode"] == 413
    assert "send fewer" in body_of(answer)["detail"]


def test_other_paths_and_methods_are_refused_and_not_counted(serve):
    served = serve()
    assert served.post("{}", path="/endpoints/other/invocations")["statusCode"] == 404
    assert served.post("{}", path="/")["statusCode"] == 404
    got = {"http": {"method": "GET"}}
    answer = served.send({"rawPath": "/endpoints/double/invocations", "requestContext": got})
    assert answer["statusCode"] == 405
    assert answer["headers"]["allow"] == "POST"
    assert served.post("{}", path="/endpoints/double")["headers"]["allow"] == "GET, HEAD"
    assert served.log == []


@pytest.mark.parametrize(
    "event",
    [None, [], "x", 7, {}, {"rawPath": 3}, {"rawPath": "/", "requestContext": {"http": "x"}}],
)
def test_what_is_no_request_is_refused(serve, event):
    assert serve().send(event)["statusCode"] == 400


RAISES = """
def run(instances):
    return [{"y": 1.0 / (record["x"] - 7)} for record in instances]
"""


def test_a_model_that_raises_is_a_500_without_internals_or_data(serve):
    served = serve("def run(instances):\n    raise ValueError(f'secret {instances}')")
    answer = served.post({"instances": [{"x": 31337}]})
    assert answer["statusCode"] == 500
    assert body_of(answer) == {
        "title": "Internal Server Error",
        "status": 500,
        "detail": "the model raised an exception",
    }
    (fault,) = served.faults
    assert fault["exception"] == "ValueError"
    assert fault["request_id"] == "request-1"
    assert fault["version"] == "3"
    assert fault["traceback"][-1] == "predict.py:2 run"
    assert "31337" not in "".join(served.log)
    assert "secret" not in "".join(served.log)
    assert served.metrics[0]["Errors"] == 1


@pytest.mark.parametrize("raised", ["asyncio.CancelledError", "GeneratorExit", "SystemExit"])
def test_whatever_a_model_raises_is_a_500_and_counted(serve, raised):
    served = serve(f"import asyncio\ndef run(instances):\n    raise {raised}")
    answer = served.post({"instances": [{"x": 1}]})
    assert answer["statusCode"] == 500
    assert served.faults[0]["exception"] == raised.rpartition(".")[2]
    assert served.metrics[0]["Errors"] == 1


def test_one_bad_request_does_not_spoil_the_next(serve):
    served = serve(RAISES)
    statuses = [served.post({"instances": [{"x": x}]})["statusCode"] for x in (1, 7, 2)]
    assert statuses == [200, 500, 200]


@pytest.mark.parametrize(
    "answer",
    [
        "None",
        "{}",
        "[]",
        "[{'y': 1.0}, {'y': 2.0}]",
        "[{'y': 'two'}]",
        "[{'y': float('nan')}]",
        "[{'z': 1.0}]",
        "[3.0]",
        "(x for x in ())",
    ],
)
def test_an_answer_outside_the_signature_is_the_models_fault(serve, answer):
    served = serve(f"def run(instances):\n    return {answer}")
    result = served.post({"instances": [{"x": 1}]})
    assert result["statusCode"] == 500
    assert body_of(result)["detail"] == "the model's answer does not fit its signature"
    assert served.metrics[0]["Errors"] == 1


def test_the_log_says_what_an_answer_should_have_been(serve):
    served = serve("def run(instances):\n    return [{'y': 'Ada Lovelace'}]")
    served.post({"instances": [{"x": 1}]})
    (fault,) = served.faults
    assert fault["expected"] == "float64"
    assert "Ada" not in "".join(served.log)


def test_a_model_that_exits_is_a_fault_and_no_crash(serve):
    served = serve("import sys\ndef run(instances):\n    sys.exit(3)")
    assert served.post({"instances": [{"x": 1}]})["statusCode"] == 500
