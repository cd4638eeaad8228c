"""What a prediction request came to, whoever answered it."""

import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from halftone.serving.answers import Answer, Spoken
from halftone.serving.protocol import answered


@dataclass(slots=True)
class Result:
    """``payload`` is what the client gets, from ``version``, which took ``latency_ms`` by itself
    and was ``cold`` or not. ``fallback`` is whether it stood in for another. ``answer`` is there
    where it is the front's own.
    """

    payload: dict[str, object]
    status: int
    version: str
    latency_ms: float
    cold: bool
    fallback: bool = False
    answer: Answer | None = None

    def body(self) -> str | bytes | None:
        """The body that the client gets."""
        body = self.payload.get("body")
        if not isinstance(body, str):
            return None
        return base64.b64decode(body) if self.payload.get("isBase64Encoded") else body

    def predictions(self, spoken: Spoken) -> object:
        """The predictions in the answer, as JSON values; None where they can't be read."""
        if self.answer is not None and self.answer.exchange is not None:
            return self.answer.exchange.predictions()
        body = self.body()
        return None if body is None else answered(body, spoken)


def of_reply(reply: Mapping[str, Any], version: str, latency: str, cold: str) -> Result:
    """The answer of another version, without the headers ``latency`` and ``cold``, in which it says
    how long it took and whether it had just started.
    """
    given = reply.get("headers")
    headers = {**given} if isinstance(given, dict) else {}
    took, started = headers.pop(latency, None), headers.pop(cold, None)
    latency_ms = 0.0
    with contextlib.suppress(TypeError, ValueError):
        latency_ms = float(took)
    return Result(
        payload={**reply, "headers": headers},
        status=reply["statusCode"],
        version=version,
        latency_ms=latency_ms,
        cold=started == "1",
    )
