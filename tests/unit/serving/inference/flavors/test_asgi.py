"""Apps of the user's own, asked below the endpoint's path and started before traffic."""

import base64
import json

import pytest

from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.serving.http.caller import Context
from halftone.serving.inference.loader import load

APP = """
from contextlib import asynccontextmanager
from fastapi import Cookie, FastAPI, Header, Request, Response

STARTS = []

@asynccontextmanager
async def lifespan(app):
    STARTS.append("started")
    yield {"ready": True}

app = FastAPI(lifespan=lifespan)

@app.get("/starts")
async def starts(request: Request):
    return [*STARTS, request.state.ready]

@app.post("/echo/{name}")
async def echo(name: str, request: Request, q: str = ""):
    body = (await request.body()).decode()
    return {"name": name, "q": q, "body": body, "root": request.scope["root_path"]}

@app.get("/headers")
async def headers(request: Request):
    return dict(request.headers)

@app.get("/image")
async def image():
    return Response(b"\\x89PNG\\x00", media_type="image/png")

@app.get("/cookies")
async def cookies(response: Response, old: str = Cookie("")):
    response.set_cookie("new", "1")
    response.headers["x-custom"] = "yes"
    return old

@app.get("/teapot", status_code=418)
async def teapot():
    return {"detail": "short and stout"}

@app.get("/unavailable", status_code=503)
async def unavailable():
    return {"detail": "my own words"}

@app.get("/raises")
async def raises(secret: str):
    raise ValueError(secret)
"""
MANIFEST = {"flavor": "asgi", "entry": "app.py", "inputs": None, "outputs": None}
SAMPLES = [{"method": "GET", "path": "/starts", "response": ["started", True]}]


@pytest.fixture
def app(serve):
    """app(code): an app in a package, served."""

    def served(code=APP, samples=SAMPLES, **settings):
        manifest = {**MANIFEST, "samples": samples}
        return serve("", manifest, {"app.py": code}, **settings)

    return served


def ask(served, method, path, **more):
    path, _, query = path.partition("?")
    event = {
        "rawPath": f"/endpoints/double/app{path}",
        "rawQueryString": query,
        "requestContext": {"http": {"method": method}},
        **more,
    }
    return served.send(event)


def test_an_app_is_started_once_and_before_any_request(app):
    served = app()
    for _ in range(3):
        answer = ask(served, "GET", "/starts")
        assert json.loads(answer["body"]) == ["started", True]
    assert [line["Errors"] for line in served.metrics] == [0, 0, 0]


def test_the_app_sees_its_own_paths_and_knows_where_they_begin(app):
    served = app()
    answer = ask(served, "POST", "/echo/ada?q=a%20b", body="hello")
    assert json.loads(answer["body"]) == {
        "name": "ada",
        "q": "a b",
        "body": "hello",
        "root": "/endpoints/double/app",
    }
    assert answer["headers"]["x-request-id"] == "request-1.3"
    assert answer["headers"]["x-halftone-version"] == "3"
    staged = {"rawPath": "/v1/endpoints/double/app/echo/ada"}
    answer = ask(served, "POST", "", body="x", **staged)
    assert json.loads(answer["body"])["root"] == "/v1/endpoints/double/app"


def test_an_app_cant_say_which_request_or_version_it_was(app):
    named = """
async def app(scope, receive, send):
    headers = [(b"x-request-id", b"mine"), (b"X-Halftone-Version", b"77"), (b"x-mine", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
"""
    sample = {"method": "GET", "path": "/", "response": "ok"}
    headers = ask(app(named, [sample]), "GET", "/")["headers"]
    assert (headers["x-request-id"], headers["x-halftone-version"]) == ("request-1.3", "3")
    assert headers["x-mine"] == "1"


@pytest.mark.parametrize("status", ["'200'", "None", "0", "101", "1000", "True"])
def test_an_answer_that_is_none_of_http_is_the_app_s_fault(app, status):
    odd = f"""
async def app(scope, receive, send):
    status = 200 if scope["path"].endswith("/well") else {status}
    await send({{"type": "http.response.start", "status": status, "headers": []}})
    await send({{"type": "http.response.body", "body": b"ok"}})
"""
    served = app(odd, [{"method": "GET", "path": "/well", "response": "ok"}])
    assert ask(served, "GET", "/well")["statusCode"] == 200
    assert ask(served, "GET", "/")["statusCode"] == 500
    assert [line["Errors"] for line in served.metrics] == [0, 1]


def test_a_header_may_be_in_latin_1(app):
    code = """
async def app(scope, receive, send):
    headers = [(b"x-one", b"Zo\\xeb"), (b"x-two", "Zo\\u00eb".encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
"""
    served = app(code, [{"method": "GET", "path": "/", "response": "ok"}])
    headers = ask(served, "GET", "/")["headers"]
    assert headers["x-one"] == headers["x-two"] == "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"


WHICH = """
async def app(scope, receive, send):
    if scope["path"].endswith("fails"):
        raise ValueError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


@pytest.mark.parametrize(
    "path",
    ["/v2", "/v2/health/live", "/v2/models/double/infer", "/endpoints/double/invocations"],
)
@pytest.mark.parametrize("stage", ["", "/v1"])
def test_the_app_has_all_paths_below_its_own(app, path, stage):
    served = app(WHICH, [{"method": "GET", "path": "/"}])
    whole = f"{stage}/endpoints/double/app{path}"
    answer = ask(served, "GET", "", rawPath=whole)
    assert (answer["statusCode"], answer["body"]) == (200, whole)
    answer = ask(served, "GET", "", rawPath=f"{whole}/v2/models/fails")
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (500, 500)


def test_its_description_tells_clients_the_whole_path(app):
    document = json.loads(ask(app(), "GET", "/openapi.json")["body"])
    assert document["servers"] == [{"url": "/endpoints/double/app"}]


def test_bytes_go_in_and_come_out(app):
    served = app()
    body = base64.b64encode("ü".encode()).decode()
    answer = ask(served, "POST", "/echo/x", body=body, isBase64Encoded=True)
    assert json.loads(answer["body"])["body"] == "ü"
    answer = ask(served, "GET", "/image")
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"\x89PNG\x00"
    assert answer["headers"]["content-type"] == "image/png"


def test_headers_and_cookies_go_both_ways(app):
    answer = ask(app(), "GET", "/cookies", cookies=["old=2", "other=3"])
    assert json.loads(answer["body"]) == "2"
    assert answer["headers"]["x-custom"] == "yes"
    assert answer["cookies"] == ["new=1; Path=/; SameSite=lax"]


@pytest.mark.parametrize(("path", "status"), [("/teapot", 418), ("/nowhere", 404)])
def test_its_own_refusals_are_no_errors(app, path, status):
    served = app()
    answer = ask(served, "GET", path)
    assert answer["statusCode"] == status
    assert served.metrics[0]["Errors"] == 0


def test_its_own_5xx_is_an_error_in_its_own_words(app):
    served = app()
    answer = ask(served, "GET", "/unavailable")
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"]) == {"detail": "my own words"}
    assert served.metrics[0]["Errors"] == 1


def test_what_it_raises_is_a_fault_that_quotes_nothing(app, caplog, capfd):
    served = app()
    answer = ask(served, "GET", "/raises?secret=hunter2")
    assert answer["statusCode"] == 500
    (fault,) = served.faults
    assert fault["exception"] == "ValueError"
    assert fault["traceback"][-1].startswith("app.py:")
    text = "".join([answer["body"], *served.log, caplog.text, *capfd.readouterr()])
    assert "hunter2" not in text
    assert ask(served, "GET", "/starts")["statusCode"] == 200


def test_it_is_told_who_calls_and_never_their_token(app, tmp_path):
    headers = {"X-Forwarded-User": "mallory", "Authorization": "Basic c2VjcmV0", "x-region": "n"}
    open_to_all = json.loads(ask(app(), "GET", "/headers", headers=headers)["body"])
    assert "x-forwarded-user" not in open_to_all
    assert open_to_all["authorization"] == "Basic c2VjcmV0"

    (tmp_path / "app.py").write_text(APP)
    model = load(tmp_path, load_manifest({"name": "a", **MANIFEST, "samples": SAMPLES}), "a59" * 21)
    event = {
        "rawPath": "/endpoints/double/app/headers",
        "requestContext": {"http": {"method": "GET"}},
        "headers": headers,
    }
    document = json.loads(model.asgi(event, Context(client="ann"))["body"])
    assert document["x-forwarded-user"] == "ann"
    assert "authorization" not in document
    assert document["x-region"] == "n"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "a:b:c"},
        {"host": "h:port"},
        {"x-forwarded-port": "many"},
        {"x-odd": "\ud800"},
        {"x-odd": "\x00"},
        {"X-Number": 7},
    ],
)
def test_odd_headers_are_no_fault_of_the_app(app, headers):
    assert ask(app(), "GET", "/starts", headers=headers)["statusCode"] == 200


def test_the_body_has_a_limit_and_must_be_readable(app):
    served = app(max_body=10)
    assert ask(served, "POST", "/echo/x", body="x" * 10)["statusCode"] == 200
    assert ask(served, "POST", "/echo/x", body="x" * 11)["statusCode"] == 413
    assert ask(served, "POST", "/echo/x", body="&", isBase64Encoded=True)["statusCode"] == 400


def test_samples_are_requests_and_the_smoke_test_sends_them(app):
    samples = [
        {"method": "POST", "path": "/echo/a?q=1", "body": {"x": 1}},
        {"method": "GET", "path": "/teapot", "status": 418, "response": {"detail": "no"}},
        {"method": "GET", "path": "/raises?secret=x"},
    ]
    served = app(samples=samples)
    faults = [
        check_answer(sample, served.send(smoke_event("double", sample)))
        for sample in served.package.manifest.samples
    ]
    assert faults[0] is None
    assert faults[1] == "response.detail is 'short and stout', expected 'no'"
    assert faults[2] == ("status is 500, expected 200: the app raised an exception: ValueError: x")
    assert served.metrics == []


def test_an_endpoint_serves_an_app_or_predictions(app, serve, tmp_path):
    answer = app().post({"instances": [{"x": 1}]})
    assert answer["statusCode"] == 404
    assert "below its path /app" in answer["body"]


def test_a_model_without_an_app_has_nothing_there(serve):
    answer = ask(serve(), "GET", "/starts")
    assert answer["statusCode"] == 404
    assert "/invocations" in answer["body"]


PLAIN = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        {lifespan}
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"plain"}})
"""


@pytest.mark.parametrize(
    "lifespan", ["raise NotImplementedError", "return", "await receive(); return"]
)
def test_an_app_without_a_lifespan_is_served_all_the_same(app, lifespan):
    assert ask(app(PLAIN.format(lifespan=lifespan)), "GET", "/x")["body"] == "plain"


FAILS = {
    "there is no app": ("x = 1", "app is None, expected an ASGI application"),
    "the module raises": ("raise KeyError('top')", "KeyError: 'top'"),
    "its start fails": (
        APP.replace('STARTS.append("started")', "raise OSError('no table')"),
        "no table",
    ),
}


@pytest.mark.parametrize(("code", "reason"), FAILS.values(), ids=FAILS)
def test_the_smoke_test_reads_why_an_app_did_not_start(app, code, reason):
    served = app(code)
    (sample,) = served.package.manifest.samples
    fault = check_answer(sample, served.send(smoke_event("double", sample)))
    assert "status is 503" in fault
    assert reason in fault


def test_what_belongs_to_the_loop_of_the_start_works(app):
    code = """
    import asyncio
    from contextlib import asynccontextmanager
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    @asynccontextmanager
    async def lifespan(app):
        queue = asyncio.Queue()
        async def work():
            while True:
                waiting = await queue.get()
                waiting.set_result("worked")
        task = asyncio.create_task(work())
        yield {"queue": queue, "task": task}

    async def ask(request):
        waiting = asyncio.get_running_loop().create_future()
        request.state.queue.put_nowait(waiting)
        return PlainTextResponse(await waiting)

    app = Starlette(routes=[Route("/ask", ask)], lifespan=lifespan)
    """
    served = app(code, samples=[{"method": "GET", "path": "/ask", "response": "worked"}])
    assert [ask(served, "GET", "/ask")["body"] for _ in range(2)] == ["worked", "worked"]


REFUSING = """
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

app = FastAPI()

class Item(BaseModel):
    name: str

@app.get("/ok")
async def ok():
    return 1

@app.post("/items")
async def items(item: Item):
    return item.name

@app.exception_handler(HTTPException)
async def fails(request, error):
    raise ZeroDivisionError

@app.get("/items/{n}")
async def none(n: int):
    raise HTTPException(404)

@app.get("/fault")
async def fault():
    try:
        raise HTTPException(503)
    except HTTPException:
        raise ValueError
"""


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/items", b"\xff", 422),  # FastAPI takes the body for bytes, and can't show them
        ("POST", "/items?json", b'{"name": "\xff"}', 400),
        ("GET", "/items/1", b"", 404),
        ("GET", "/fault", b"", 500),
    ],
)
def test_an_app_that_fails_to_refuse_a_request_has_refused_it(app, method, path, body, status):
    served = app(REFUSING, [{"method": "GET", "path": "/ok", "response": 1}])
    carried = base64.b64encode(body).decode()
    headers = {"content-type": "application/json"} if "json" in path else {}
    sent = {"headers": headers, "body": carried, "isBase64Encoded": True}
    answer = ask(served, method, path, **sent)
    assert answer["statusCode"] == status
    (line,) = served.metrics
    assert (line["Errors"], line["ClientErrors"]) == (status >= 500, status < 500)
