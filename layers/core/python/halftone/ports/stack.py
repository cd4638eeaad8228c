"""What the use cases need of CloudFormation."""

from typing import Protocol


class Stacks(Protocol):
    """The stacks that deploy endpoints."""

    def status(self, stack: str) -> str:
        """The status of the stack with that ARN, such as ``UPDATE_ROLLBACK_IN_PROGRESS``.

        Raises:
            NotFound: if there is no such stack.
            Unavailable: if that can't be read.
        """
        ...
