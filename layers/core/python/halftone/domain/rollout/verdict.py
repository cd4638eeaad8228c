"""Verdicts: what an analysis of the evidence says, as a closed set, each with its numbers.

| kind         | meaning                                               | lets a step end |
| ------------ | ----------------------------------------------------- | --------------- |
| pass         | least requests seen, and every metric proven harmless | yes, forward    |
| fail         | a regression is proven                                | yes, back       |
| inconclusive | least requests seen, neither proven yet               | no              |
| no_data      | fewer than the least requests: silence is not success | no              |
| lost_traffic | the challenger does not get the share it was given    | no              |
| error        | the evidence could not be read, or can't be right     | no              |

Nothing turns into pass by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class VerdictKind(StrEnum):
    """The six things an analysis can say."""

    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"
    LOST_TRAFFIC = "lost_traffic"
    ERROR = "error"


@dataclass(frozen=True)
class Verdict:
    """A kind, a sentence with its arithmetic, and the numbers behind it for the record.

    ``proof`` is the e-value of a regression in units of what proves it: 1.0 and more is proof.
    """

    kind: VerdictKind
    reason: str
    numbers: Mapping[str, object] = field(default_factory=dict)
    proof: float = 0.0
