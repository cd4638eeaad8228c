"""CloudFormation's stacks in memory."""

from dataclasses import dataclass, field

from halftone.domain.errors import NotFound, Unavailable


@dataclass
class MemoryStacks:
    """Port ``Stacks``: ``statuses`` by ARN. ``silent``: CloudFormation does not answer."""

    statuses: dict[str, str] = field(default_factory=dict)
    silent: bool = False

    def status(self, stack: str) -> str:
        """See the port."""
        if self.silent:
            raise Unavailable(f"CloudFormation does not tell the status of {stack}")
        if stack not in self.statuses:
            raise NotFound("stack", stack)
        return self.statuses[stack]
