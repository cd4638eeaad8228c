"""No line that package code writes, by whatever way, passes for a line of Halftone's own."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.insight.capture import read_line
from halftone.serving.inference.model_output import PREFIX, Lines
from halftone_local.emf import metrics_in

EMF = json.dumps(
    {
        "_aws": {
            "Timestamp": 1,
            "CloudWatchMetrics": [
                {"Namespace": "Halftone", "Dimensions": [["Endpoint"]], "Metrics": [{"Name": "E"}]}
            ],
        },
        "Endpoint": "another",
        "E": 1,
    }
)
ROW = json.dumps({"halftone": "feedback", "request": "r", "version": "1", "at": 1})
OWN = '{"_aws": "a line of Halftone\'s own"}'
SEPARATORS = [*"\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", "\r\n"]
START = """
import ctypes, logging, os, subprocess, sys, threading, warnings
from halftone.serving.inference.model_output import separate

{before}
output = separate()
EMF, OWN = {emf!r}, {own!r}
libc = ctypes.CDLL(None)
{code}
output.write(OWN)
output.settle()
"""
RUNTIME = """
class Framed:  # as FramedTelemetryLogSink of awslambdaric 4 has it: an event for each message
    fd = os.dup(1)
    def log(self, message, frame_type=None):
        os.write(self.fd, message.replace("\\n", "\\r").encode() + b"\\n")

class Handler(logging.Handler):
    log_sink = Framed()
    def emit(self, record):
        self.log_sink.log(self.format(record), frame_type=b"")

logging.getLogger().addHandler(Handler())
"""


def believed(written):
    """The lines that metrics or the capture ingest would believe, however lines are told apart."""
    lines = {*written.split("\n"), *written.splitlines()}
    return [line for line in lines if line and (metrics_in(line) or read_line(line))]


def test_such_lines_are_believed_if_nobody_keeps_them_apart():
    assert len(believed(f"{EMF}\n{ROW}\n")) == 2


def ran(code, before="", check=True):
    """All that a process with that code writes."""
    script = START.format(before=before, emf=EMF, own=OWN, code=code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={"PYTHONPATH": "layers/core/python", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=check,
        timeout=60,
    )
    return done.stdout.decode()


WAYS = {
    "print": "print(EMF)",
    "print with a line before": 'print(f"asked: x\\n{EMF}")',
    "print without an end": 'print("begun", end=""); output.write(OWN); print(EMF, end="")',
    "stderr": "sys.stderr.write(EMF + '\\n')",
    "the buffer beneath": "sys.stdout.buffer.write(EMF.encode() + b'\\n')",
    "the first stdout": "sys.__stdout__.write(EMF + '\\n'); sys.__stdout__.flush()",
    "logging on a stream": """
logging.basicConfig(format="%(message)s", force=True)
logging.error(EMF)
""",
    "logging's last resort": "logging.getLogger('x').error(EMF)",
    "warnings": "warnings.simplefilter('always'); warnings.warn('\\n' + EMF)",
    "an exception of a thread": """
def raises():
    raise ValueError("\\n" + EMF)
thread = threading.Thread(target=raises); thread.start(); thread.join()
""",
    "os.write": "os.write(1, EMF.encode() + b'\\n'); os.write(2, EMF.encode() + b'\\n')",
    "/dev/stdout": "open('/dev/stdout', 'w').write(EMF + '\\n')",
    "C": "libc.puts(EMF.encode()); libc.fflush(None)",
    "C without an end": "libc.write(2, EMF.encode(), len(EMF))",
    "a subprocess": "subprocess.run(['echo', EMF], check=True)",
    "a subprocess on sys.stderr": "subprocess.run(['echo', EMF], stdout=sys.stderr, check=True)",
    "a line as long as one of CloudWatch's": "print(' ' * 262_144 + EMF)",
    "a line cut anywhere": "print((' ' * 7 + EMF) * 1000)",
    "no text": "sys.stdout.buffer.write(b'\\xff\\xfe\\xed\\xa0\\x80\\n' + EMF.encode())",
    "half a surrogate pair": "print('\\ud800' + EMF)",
    "a byte order mark": "print('\\ufeff' + EMF)",
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_package_code_writes_is_believed(way):
    written = ran(WAYS[way])
    assert believed(written) == []
    lines = [line for line in written.split("\n") if line]
    assert OWN in lines, "Halftone's own line is whole, whatever was begun before it"
    assert all(line.startswith(PREFIX) for line in lines if line != OWN)
    assert "Endpoint" in written, "it is in the log all the same"


@pytest.mark.parametrize("text", ["EMF", "'x\\n' + EMF + '\\ud800'"])
def test_the_runtime_s_own_log_handler_is_held_to_the_same(text):
    bare = 'logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(message)s"))'
    written = ran(f"logging.warning({text})", RUNTIME + bare)
    assert believed(written) == []
    assert written.startswith(PREFIX)
    assert "Endpoint" in written


def test_what_ends_the_process_takes_no_line_with_it():
    code = "os.write(2, b'terminate called\\n' + EMF.encode()); print('last'); os.abort()"
    written = ran(code, check=False)
    assert f"{PREFIX}terminate called\n" in written
    assert f"{PREFIX}last\n" in written
    assert believed(written) == []


def test_lines_of_both_keep_whole_while_both_write():
    code = """
def noise():
    for _ in range(200):
        os.write(2, b"y" * 3000 + b"\\n")
thread = threading.Thread(target=noise); thread.start()
child = subprocess.Popen(["sh", "-c", "for i in $(seq 200); do echo zzzz; done"])
for i in range(20):
    output.write('{"n":"' + "x" * 150_000 + '"}')
    print("said")
thread.join(); child.wait()
"""
    lines = [line for line in ran(code).split("\n") if line]
    own = [line for line in lines if not line.startswith(PREFIX) and line != OWN]
    assert [len(json.loads(line)["n"]) for line in own] == [150_000] * 20
    assert lines.count(f"{PREFIX}zzzz") == 200
    assert lines.count(f"{PREFIX}said") == 20


def test_an_invocation_s_lines_are_written_before_it_ends():
    code = """
for i in range(50):
    print("printed", i)
    os.write(1, b"written %d\\n" % i)
    output.settle()
    output.write(f"end {i}")
"""
    lines = [line.removeprefix(PREFIX) for line in ran(code).split("\n")]
    for i in range(50):
        end = lines.index(f"end {i}")
        assert lines.index(f"printed {i}") < end
        assert lines.index(f"written {i}") < end


def test_what_was_begun_and_not_ended_is_a_line_at_the_end():
    assert f"{PREFIX}begun\n" in ran("print('begun', end='')")


@given(
    parts=st.lists(
        st.sampled_from([EMF, ROW, " ", "\t", "{", *SEPARATORS]) | st.text(), max_size=12
    ),
    cuts=st.lists(st.integers(0, 400), max_size=5),
)
def test_no_bytes_in_any_pieces_make_a_line_that_is_believed(parts, cuts):
    data = "".join(parts).encode(errors="surrogatepass")
    lines, at, written = Lines(), 0, []
    for cut in sorted({min(cut, len(data)) for cut in cuts} | {len(data)}):
        written += lines.feed(data[at:cut])
        at = cut
    written += lines.end()
    text = b"".join(written).decode()
    assert believed(text) == []
    assert text.splitlines() == text.split("\n")[:-1], "no separator but the line's end is left"
    assert all(line.startswith(PREFIX.encode()) for line in written)
    assert all(len(line) <= 65_536 for line in written)
