"""Promise 9, as far as actors see it: what can't be done is said in Halftone's own errors."""

from halftone.domain.errors import HalftoneError
from tests.property.engine.simulation import Crash, Ended
from tests.property.simulation.promises import breaks


def check_ended(ended: Ended) -> None:
    """No invocation ends with an exception that nobody drew up."""
    result = ended.result
    if isinstance(result, BaseException) and not isinstance(result, HalftoneError | Crash):
        breaks(9, "raised", f"{ended.process.name} ends with {type(result).__name__}: {result}")
