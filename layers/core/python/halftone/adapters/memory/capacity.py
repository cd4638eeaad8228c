"""Concurrency and throttles in memory."""

from dataclasses import dataclass, field

from halftone.domain.endpoint.capacity import Throttle
from halftone.domain.errors import Conflict
from halftone.ports.capacity import Provisioned


@dataclass
class MemoryScale:
    """Ports ``Scaling`` and ``Gate``: sandboxes stand ready at once, up to what the account has.

    ``refusal`` is why the platform refuses whatever is asked for next ("": it does not).
    """

    account: int = 1000
    reserved: dict[str, int] = field(default_factory=dict)
    replicas: dict[tuple[str, str], int] = field(default_factory=dict)
    throttles: dict[str, Throttle] = field(default_factory=dict)
    refusal: str = ""

    def reserve(self, endpoint: str, concurrency: int | None) -> None:
        """See ``Scaling``."""
        self._may()
        if concurrency is None:
            self.reserved.pop(endpoint, None)
            return
        if concurrency > self.account - 100:
            raise Conflict(f"the account has {self.account}, of which 100 stay unreserved")
        self.reserved[endpoint] = concurrency

    def provision(self, endpoint: str, version: str, replicas: int) -> None:
        """See ``Scaling``."""
        self._may()
        if replicas:
            self.replicas[endpoint, version] = replicas
        else:
            self.replicas.pop((endpoint, version), None)

    def provisioned(self, endpoint: str, version: str) -> Provisioned:
        """See ``Scaling``."""
        count = self.replicas.get((endpoint, version), 0)
        return Provisioned(count, count)

    def throttle(self, endpoint: str, limit: Throttle | None) -> int:
        """See ``Gate``."""
        self._may()
        if limit is None:
            self.throttles.pop(endpoint, None)
        else:
            self.throttles[endpoint] = limit
        return 1

    def url(self, endpoint: str) -> str:
        """See ``Gate``."""
        return f"https://api.example/endpoints/{endpoint}"

    def _may(self) -> None:
        if self.refusal:
            raise Conflict(self.refusal)
