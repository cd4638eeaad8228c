"""Work after an answer, against a runtime that speaks the Extensions API as AWS documents it.

"Using the Lambda Extensions API",
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html: an extension registers
during Init with the events it wants, and is identified by the header that it gets back; Next blocks
until there is an event; the sandbox is frozen when runtime and extensions have all asked for the
next one.
"""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from halftone.serving.gateway.background import MOST, AtOnce, Extension, Thread, background_tasks

IDENTIFIER = "ab12cd34-identifier"


class Runtime:
    """The Runtime API on a loopback port; events are what ``invoke`` puts in."""

    def __init__(self, *, status=200):
        self.registered = []
        self.asked = threading.Semaphore(0)
        self.events = queue.SimpleQueue()
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                runtime.registered.append((self.path, self.headers, json.loads(body)))
                self._answer(status, {"functionName": "f"})

            def do_GET(self):
                assert self.headers["Lambda-Extension-Identifier"] == IDENTIFIER
                assert self.path == "/2020-01-01/extension/event/next"
                runtime.asked.release()
                event = runtime.events.get()
                self._answer(*((200, event) if event else (500, {})))

            def _answer(self, code, value):
                data = json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Lambda-Extension-Identifier", IDENTIFIER)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoke(self, event):
        self.events.put(event)

    def frozen(self, seconds=5.0):
        """Whether the extension asks for the next event within that time."""
        return self.asked.acquire(timeout=seconds)

    def close(self):
        self.events.put(None)
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def runtime():
    runtime = Runtime()
    yield runtime
    runtime.close()


def test_it_registers_for_invocations_before_traffic(runtime):
    extension = background_tasks(runtime.address)
    assert isinstance(extension, Extension)
    ((path, headers, body),) = runtime.registered
    assert path == "/2020-01-01/extension/register"
    assert body == {"events": ["INVOKE"]}, "an internal extension may not ask for SHUTDOWN"
    assert headers["Lambda-Extension-Name"]
    assert runtime.frozen(), "Init ends when it asks for the first event"


def test_the_sandbox_stays_awake_while_the_answer_does_not_wait(runtime):
    extension = Extension(runtime.address)
    assert runtime.frozen()
    go, done = threading.Event(), threading.Event()
    runtime.invoke({"eventType": "INVOKE"})
    extension.add(go.wait)
    extension.add(done.set)
    assert not runtime.frozen(0.1), "not before the answer"
    extension.answered()  # returns at once: the client has its answer
    assert not done.is_set()
    assert not runtime.frozen(0.2), "awake while there is work"
    go.set()
    assert runtime.frozen()
    assert done.is_set()


def test_a_request_without_work_lets_the_sandbox_freeze(runtime):
    extension = Extension(runtime.address)
    assert runtime.frozen()
    for _ in range(3):
        runtime.invoke({"eventType": "INVOKE"})
        extension.answered()
        assert runtime.frozen()


def test_work_that_raises_does_not_end_the_extension(runtime):
    extension = Extension(runtime.address)
    assert runtime.frozen()
    done = threading.Event()
    runtime.invoke({"eventType": "INVOKE"})
    extension.add(lambda: 1 / 0)
    extension.add(done.set)
    extension.answered()
    assert runtime.frozen()
    assert done.is_set()


def test_without_events_the_work_is_still_done(runtime):
    extension = Extension(runtime.address)
    assert runtime.frozen()
    done = threading.Event()
    runtime.invoke(None)  # the runtime answers 500
    extension.answered()
    extension.add(done.set)
    extension.answered()
    assert done.wait(5)


def test_where_no_extension_can_register_a_thread_does_it():
    refusing = Runtime(status=403)
    try:
        assert type(background_tasks(refusing.address)) is Thread
    finally:
        refusing.close()
    assert type(background_tasks(None)) is Thread
    assert type(background_tasks(refusing.address)) is Thread, "nobody listens there any more"


def test_a_thread_works_after_the_answer_and_not_before():
    thread, done = Thread(), threading.Event()
    thread.add(done.set)
    assert not done.wait(0.05)
    thread.answered()
    assert done.wait(5)


def test_what_overflows_is_dropped_counted_and_never_waited_for():
    full = AtOnce()
    assert all(full.add(lambda: None) for _ in range(MOST))
    assert not full.add(lambda: None)
    assert full.dropped == 1
    full.answered()
    assert full.add(lambda: None)
