"""A rollout: one challenger's way from no traffic to all of it, or back to none.

The state is a frozen value; ``to`` makes the next one and refuses a transition that the table in
``phase`` does not have.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from halftone.domain.errors import Conflict
from halftone.domain.model.manifest import PackageRef
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.border import BUCKET, SCORED_WITHIN, Border, bucket_start
from halftone.domain.rollout.phase import TRANSITIONS, Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.domain.traffic.policy import Mode

TRIAL, MIRROR, KEYS = "trial", "mirror", "keys"
"""Cohorts: whom a metric is about, beside endpoint and version ("": whoever was not pinned)."""


_RETURN = re.compile(r"return-[0-9]+-to-[0-9]+")


@dataclass(frozen=True)
class Rollout:
    """Where a rollout stands.

    ``champion`` and ``challenger`` are published Lambda versions. ``share`` is the percentage that
    the challenger is known to have, ``target`` the one it is moving to (the same when it is not
    moving). ``mode`` is how that share reaches it, ``sticky`` whether it is drawn by key: both are
    fixed when the rollout starts. ``mirror`` is the percentage that the challenger scores unseen,
    ``since`` the share of the stage before. ``stage`` indexes the plan's stages; -1 before the
    first. ``stage_since`` is when the present stage's clock began: when its share was confirmed,
    and later by what it was paused. ``borders`` are when each stage's share was confirmed, oldest
    first: what happened belongs to stages by them. ``alias_revision`` and
    ``challenger_revision`` what the revisions of the aliases ``live`` and ``challenger`` were then,
    ``armed_at`` when the alarms were first armed for the challenger, ``exposed_at`` when it was
    first given traffic, ``paused_at`` since when it is paused. ``latency_limits`` are the
    milliseconds that are counted as slow, fixed before the challenger gets traffic: the champion's
    median, 90th and 99th percentile. ``promoting`` is whether a rollback found it on its way to all
    traffic. ``gate`` is the kind of the verdict that opened the gate at which a person was asked
    ("": there is none, or a person's word stands in for evidence).
    """

    id: str
    plan: Plan
    package: PackageRef
    settings: str
    actor: str
    started_at: datetime
    champion: str | None
    message: str = ""
    phase: Phase = Phase.PREPARING
    challenger: str | None = None
    stage: int = -1
    share: float = 0.0
    target: float = 0.0
    stage_since: datetime | None = None
    alias_revision: str | None = None
    armed_at: datetime | None = None
    exposed_at: datetime | None = None
    paused_at: datetime | None = None
    latency_limits: tuple[float, ...] = ()
    reason: str = ""
    mode: Mode = Mode.WEIGHTED
    sticky: bool = False
    mirror: float = 0.0
    since: float = 0.0
    challenger_revision: str | None = None
    promoting: bool = False
    borders: tuple[Border, ...] = ()
    gate: str = ""

    def to(self, phase: Phase, **changes: Any) -> "Rollout":
        """This rollout in ``phase``, with ``changes`` to its other fields.

        Raises:
            Conflict: if the table of transitions does not have that one.
        """
        if phase not in TRANSITIONS[self.phase]:
            raise Conflict(f"rollout {self.id} is {self.phase}: it can't become {phase}")
        return replace(self, phase=phase, **changes)

    @property
    def current(self) -> Stage | None:
        """The present stage, or None before the first and after the last."""
        inside = 0 <= self.stage < len(self.plan.stages)
        return self.plan.stages[self.stage] if inside else None

    @property
    def following(self) -> int:
        """The index of the stage after the present one; the number of stages stands for 100 %."""
        return self.stage + 1

    def onward(self, kind: str = "") -> "Rollout":
        """This rollout on its way to the following stage, or at the gate before it.

        ``kind`` is that of the verdict by which the present stage is done.
        """
        stages, following = self.plan.stages, self.following
        last = following >= len(stages)
        gated = self.plan.approve_all if last else stages[following].approval
        if gated and self.champion is not None:
            return self.to(Phase.AWAITING_APPROVAL, gate=kind)
        return self.to(Phase.SHIFTING, target=self.next_share, gate="")

    @property
    def next_share(self) -> float:
        """The share of the stage after the present one; 100 after the last, or with no champion.

        A stage in which the challenger scores unseen gives it no share: 0.
        """
        if self.champion is None or self.following >= len(self.plan.stages):
            return 100.0
        return self.plan.stages[self.following].weight

    @property
    def next_mirror(self) -> float:
        """The percentage that the challenger scores unseen at the stage after the present one."""
        stages, following = self.plan.stages, self.following
        inside = self.champion is not None and following < len(stages)
        return stages[following].mirror if inside else 0.0

    @property
    def resting(self) -> Phase:
        """The phase in which the present stage is watched."""
        return Phase.BAKING if self.plan.is_bake(self.stage) else Phase.OBSERVING

    @property
    def guarded(self) -> bool:
        """Whether the champion stands in front of the challenger until that one takes all."""
        return self.mode is Mode.GUARDED and self.champion is not None

    @property
    def home(self) -> Routing:
        """Both aliases without the challenger: the champion alone, or nobody on a first release."""
        return UNRELEASED if self.champion is None else Routing(self.champion)

    @property
    def called(self) -> Routing:
        """The alias ``challenger`` while the challenger takes part."""
        return self.home if self.challenger is None else Routing(self.challenger)

    @property
    def cohorts(self) -> tuple[str, str]:
        """Whose counts are the evidence now: the challenger's cohort, and the champion's.

        What is scored unseen stands against those whose requests could have been. Where a key
        draws, keys are what was randomised, so that keys are counted and not requests.
        """
        return self._cohorts(self.mirror)

    def cohorts_in(self, border: Border) -> tuple[str, str]:
        """``cohorts`` in the stage that began there."""
        return self._cohorts(border.mirror)

    @property
    def begun(self) -> tuple[Border, ...]:
        """Where each stage so far began, oldest first.

        Of a rollout that began under a release that kept no borders: as far as it can be known.
        """
        if self.borders or self.stage_since is None or self.current is None:
            return self.borders
        present = self.border(self.stage_since)
        if self.stage == 0 or self.exposed_at is None:
            return (present,)
        stages, before = self.plan.stages, self.stage - 1
        since = stages[before - 1].weight if before else 0.0
        at = min(self.exposed_at, self.stage_since)
        earlier = Border(before, at, stages[before].weight, since, stages[before].mirror)
        return (earlier, present)

    def border(self, at: datetime) -> Border:
        """The border of the present stage, which begins ``at`` that moment."""
        return Border(self.stage, at, self.share, self.since, self.mirror)

    def owner(self, moment: datetime) -> Border | None:
        """The border of the stage that a bucket which starts at ``moment`` belongs to."""
        return next((b for b in reversed(self.begun) if b.start <= moment), None)

    def counted_since(self, border: Border) -> datetime:
        """From when on buckets of the stage that began there are evidence.

        Where versions are counted as a whole, what was scored unseen in the stage before counts
        among them: it is left to run out first.
        """
        before = next((b for b in reversed(self.begun) if b.at < border.at), None)
        if before is None or not before.mirror or self.cohorts_in(border) != ("", ""):
            return border.start
        return bucket_start(border.at + SCORED_WITHIN) + BUCKET

    def _cohorts(self, mirror: float) -> tuple[str, str]:
        if mirror:
            return (MIRROR, TRIAL)
        if not self.guarded:
            return ("", "")
        return (KEYS, KEYS) if self.sticky else (TRIAL, TRIAL)

    def counts_keys_in(self, border: Border | None) -> bool:
        """Whether the units of the stage that began there are keys."""
        return border is not None and self.cohorts_in(border)[0] == KEYS

    @property
    def units(self) -> str:
        """What the evidence counts now: ``keys`` where a key draws, else ``requests``."""
        return "keys" if self.cohorts[0] == KEYS else "requests"

    @property
    def way_home(self) -> tuple[str, str]:
        """Both aliases in the order in which a rollback writes them: first the one that counts."""
        behind = self.guarded and not self.promoting
        return (CHALLENGER, ALIAS) if behind else (ALIAS, CHALLENGER)

    def called_through(self, stage: int) -> str:
        """The alias by which requests reach the challenger at that stage: its crashes are there."""
        stages = self.plan.stages
        scores = self.champion is not None and stage < len(stages) and stages[stage].mirror
        return CHALLENGER if self.guarded or scores else ALIAS

    def routing(self, share: float) -> Routing:
        """The alias ``live`` where the challenger has ``share`` percent.

        Raises:
            ValueError: if that takes a version that there is not.
        """
        if share <= 0.0 or (self.guarded and share < 100.0):
            return self.home
        if self.challenger is None:
            raise ValueError(f"rollout {self.id} has no version yet to give {share} % to")
        return Routing.split(self.champion, self.challenger, share)


def is_return(rollout: Rollout) -> bool:
    """Whether ``rollout`` is no release, but the way back to an earlier version."""
    return _RETURN.fullmatch(rollout.id) is not None
