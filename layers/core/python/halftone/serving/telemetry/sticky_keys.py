"""The keys that a container has seen in the present stage of a sticky rollout.

Keys are what such a rollout draws, so keys are what is counted: each once a stage, by whether any
of its requests failed or was late. A container tells of a key when it first sees it, and when it
sees it do worse. The harvest counts each key once over all containers.
"""

from collections.abc import Callable

MOST = 20_000
"""Keys that are remembered; beyond that the oldest are forgotten, and may be told of again."""

Tell = Callable[..., None]


class KeyObservations:
    """Remembers keys of one stage; another stage begins anew. Takes about 2 MB at most."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._of: tuple[str, int] = ("", -1)
        self._seen: dict[str, tuple[bool, bool | None]] = {}

    def saw(
        self,
        version: str,
        rollout: str,
        stage: int,
        key: str,
        *,
        failed: bool,
        late: bool | None,
    ) -> None:
        """A request of ``key``. ``late`` is None where the request says nothing of it."""
        if (rollout, stage) != self._of:
            self._of = (rollout, stage)
            self._seen.clear()
        before = self._seen.get(key)
        now = (failed, late)
        if before is not None:
            now = (before[0] or failed, before[1] or late if late is not None else before[1])
            if now == before:
                return
        elif len(self._seen) >= MOST:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = now
        self._tell(version, rollout, stage, key, failed=now[0], late=now[1])
