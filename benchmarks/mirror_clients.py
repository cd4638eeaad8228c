"""What clients of an endpoint notice of a mirror: the same requests with and without, in turns.

The endpoint is one of the examples on a local AWS. Its shadow answers nearly as the champion does,
but sleeps for SHADOW_SECONDS first, in every request: a client that waited for it would show that.
The step says by a header whom it mirrors, so that both kinds of requests meet the same front.

A pause of PAUSE_SECONDS follows each answer. The local AWS gives a sandbox its next request while
it still sends; AWS gives that to another sandbox.
"""

import http.client
import itertools
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import yaml

from demo.cloud import ROOT, Cloud
from halftone.domain.rollout.phase import Phase
from halftone_local import supervisor

EXAMPLE = "breast-cancer"
SHADOW_SECONDS = 0.3
SHADOW_FACTOR = 0.9999
PAUSE_SECONDS = 0.05
HEADER = "x-mirrored"
MIRROR_ALL = {
    "mirror": 100,
    "match": {"headers": {HEADER: ["yes"]}},
    "min_time": "1h",
    "min_requests": 1,
}
KINDS: Mapping[str, Mapping[str, str]] = {"without": {}, "with": {HEADER: "yes"}}


@dataclass
class Taken:
    """What one kind of requests came to: milliseconds, and the answers' bodies."""

    ms: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def quantile(self, percent: int) -> float:
        """Milliseconds at that percentile."""
        return statistics.quantiles(self.ms, n=100)[percent - 1]


def slow(target: Path) -> Path:
    """The champion's package, which sleeps before it answers, and answers slightly less."""
    shutil.copytree(ROOT / "examples" / EXAMPLE / "models" / "champion", target)
    code = (target / "predict.py").read_text().replace("def run(", "def _run(")
    code += f"""
import time


def run(instances):
    time.sleep({SHADOW_SECONDS})
    found = _run(instances)
    return [{{**one, "probability": one["probability"] * {SHADOW_FACTOR}}} for one in found]
"""
    (target / "predict.py").write_text(code)
    samples = json.loads((target / "samples.json").read_text())
    loose = [{**sample, "tolerance": 0.01} for sample in samples]
    (target / "samples.json").write_text(json.dumps(loose))
    return target


def in_turns(url: str, bodies: Sequence[bytes], *, rounds: int, block: int) -> dict[str, Taken]:
    """Blocks of requests of each kind, one request at a time, with the same bodies for each.

    Raises:
        ConnectionError: for an answer other than 200.
    """
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    taken = {kind: Taken() for kind in KINDS}
    turns = {kind: itertools.cycle(bodies) for kind in KINDS}
    for number in range(rounds):
        # Which of them begins changes, so that neither has the better half.
        for kind in sorted(KINDS, reverse=bool(number % 2)):
            for body in itertools.islice(turns[kind], block):
                headers = {"content-type": "application/json", **KINDS[kind]}
                began = time.perf_counter()
                connection.request("POST", address.path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                taken[kind].ms.append((time.perf_counter() - began) * 1e3)
                taken[kind].answers.append(text)
                if answer.status != 200:
                    raise ConnectionError(
                        f"{address.path} answered {answer.status}: {text[:200]!r}"
                    )
                time.sleep(PAUSE_SECONDS)
    connection.close()
    return taken


def on_a_stage(*, rounds: int = 20, block: int = 25) -> dict[str, Taken]:
    """The same on a local AWS of its own, which takes some minutes to deploy."""
    aws = supervisor.start()
    try:
        with tempfile.TemporaryDirectory() as home, mock.patch.dict("os.environ"):
            cloud = Cloud(aws, Path(home))
            cloud.activate()
            declared = cloud.copy_example(EXAMPLE)
            slow(declared.parent / "models" / "slow")
            _declare(declared, late_after="2s", plan={"steps": [MIRROR_ALL]})
            cloud.bootstrap()
            cloud.deploy()
            _declare(declared, model="models/slow")
            cloud.deploy(EXAMPLE)
            _until_observed(cloud)
            records = (declared.parent / "traffic.jsonl").read_text().splitlines()
            bodies = [
                json.dumps({"instances": [json.loads(line)["instance"]]}).encode()
                for line in records
            ]
            in_turns(cloud.url(EXAMPLE), bodies, rounds=2, block=5)
            return in_turns(cloud.url(EXAMPLE), bodies, rounds=rounds, block=block)
    finally:
        aws.stop()


def _declare(path: Path, **changes: object) -> None:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def _until_observed(cloud: Cloud, seconds: float = 120) -> None:
    store, deadline = cloud.ports().store, time.monotonic() + seconds
    while True:
        state = store.load(EXAMPLE)
        rollout = state.rollout if state else None
        if rollout and rollout.challenger != "1" and rollout.phase is Phase.OBSERVING:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the mirror step of {EXAMPLE} did not begin in {seconds:g} s")
        time.sleep(0.2)
