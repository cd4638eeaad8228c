"""The phases of a rollout, each with what is true of the world while it lasts.

| phase             | what is true                                                              |
| ----------------- | ------------------------------------------------------------------------- |
| preparing         | The challenger gets no traffic; it is published, smoke-tested, armed for. |
| shifting          | The share is either ``share`` or ``target``, on its way to the second.    |
| observing         | The challenger gets ``share``; alarms are armed; evidence comes in.       |
| awaiting_approval | As observing; evidence sufficed, a person's word is missing.              |
| paused            | As observing; a person has stopped the clock. Rollback stays possible.    |
| baking            | As observing, at nearly all traffic; the champion keeps a control.        |
| promoted          | The challenger alone answers; the alias was read back to say so.          |
| rolling_back      | The fence is up: only the rollback may still write the alias.             |
| rolled_back       | The champion alone answers; the alias was read back to say so.            |
| failed            | The challenger never got traffic: publishing or smoke test failed.        |

Transitions that are allowed (all others are refused by ``Rollout.to``):

    preparing ──► shifting ──► observing | baking | promoted | awaiting_approval
    observing | baking ──► shifting | awaiting_approval | paused
    awaiting_approval ──► shifting
    paused ──► shifting | observing | baking
    preparing ──► awaiting_approval | failed
    every phase that is not final ──► rolling_back ──► rolled_back
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where a rollout stands. The module's table says what each means."""

    PREPARING = "preparing"
    SHIFTING = "shifting"
    OBSERVING = "observing"
    AWAITING_APPROVAL = "awaiting_approval"
    PAUSED = "paused"
    BAKING = "baking"
    PROMOTED = "promoted"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more happens."""
        return self in (Phase.PROMOTED, Phase.ROLLED_BACK, Phase.FAILED)


_P = Phase
_HELD = frozenset({_P.OBSERVING, _P.BAKING})
TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    _P.PREPARING: frozenset({_P.SHIFTING, _P.AWAITING_APPROVAL, _P.FAILED, _P.ROLLING_BACK}),
    _P.SHIFTING: _HELD | {_P.PROMOTED, _P.AWAITING_APPROVAL, _P.ROLLING_BACK},
    _P.OBSERVING: frozenset({_P.SHIFTING, _P.AWAITING_APPROVAL, _P.PAUSED, _P.ROLLING_BACK}),
    _P.BAKING: frozenset({_P.SHIFTING, _P.AWAITING_APPROVAL, _P.PAUSED, _P.ROLLING_BACK}),
    _P.AWAITING_APPROVAL: frozenset({_P.SHIFTING, _P.ROLLING_BACK}),
    _P.PAUSED: _HELD | {_P.SHIFTING, _P.ROLLING_BACK},
    _P.PROMOTED: frozenset(),
    _P.ROLLING_BACK: frozenset({_P.ROLLED_BACK}),
    _P.ROLLED_BACK: frozenset(),
    _P.FAILED: frozenset(),
}
