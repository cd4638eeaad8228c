"""Clients of an endpoint: steady requests over HTTP, and a tally of what came back."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Response:
    """One request as its client saw it: when it was answered, by which version, with what.

    ``user`` is who asked, where clients say so.
    """

    at: datetime
    version: str
    status: int
    user: str = ""


@dataclass
class Traffic:
    """Sends ``bodies`` in turn to ``url``, ``rate`` a second over ``clients`` connections.

    Used as a context: traffic flows inside it. ``users`` take turns, too, and name themselves in
    the header ``x-user``.
    """

    url: str
    bodies: Sequence[bytes]
    rate: float = 25.0
    clients: int = 4
    users: Sequence[str] = ("",)
    answers: list[Response] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Traffic":
        for number in range(self.clients):
            thread = threading.Thread(target=self._run, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def by_version(self) -> dict[str, Counter[int]]:
        """How many answers of each status every version gave; "none" where no version did."""
        tally: dict[str, Counter[int]] = {}
        for answer in list(self.answers):
            tally.setdefault(answer.version, Counter())[answer.status] += 1
        return dict(sorted(tally.items()))

    def _run(self, number: int) -> None:
        address = urlsplit(self.url)
        every = self.clients / self.rate
        due = time.monotonic() + every * number / self.clients
        connection = http.client.HTTPConnection(address.netloc, timeout=30)
        requests = zip(itertools.cycle(self.bodies), itertools.cycle(self.users), strict=False)
        for body, user in itertools.islice(requests, number, None, self.clients):
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
            due += every
            self.answers.append(self._ask(connection, address.path, body, user))
        connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, path: str, body: bytes, user: str
    ) -> Response:
        headers = {"content-type": "application/json"} | ({"x-user": user} if user else {})
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request opens it again
            return Response(datetime.now(UTC), "none", 0, user)
        version = response.headers.get("x-halftone-version", "none")
        return Response(datetime.now(UTC), version, response.status, user)


def bodies(records: Path) -> list[bytes]:
    """One request for each record of a ``traffic.jsonl`` of the examples."""
    lines = records.read_text().splitlines()
    return [json.dumps({"instances": [json.loads(line)["instance"]]}).encode() for line in lines]
