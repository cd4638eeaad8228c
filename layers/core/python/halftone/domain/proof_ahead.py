"""How many requests still prove an equal challenger harmless, from stage to stage. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from halftone.domain.plan import Margins, Plan
from halftone.stats.capital import Capital
from halftone.stats.power import Rates, requests_needed
from halftone.stats.tally import Tally
from halftone.stats.tolerance import requests_below


@dataclass
class ProofAhead:
    """How near that proof has come, with what earlier stages gave to it, in units of theirs.

    ``rates`` are the parts of requests that err or are late, of both versions. Two ways lead to the
    proof, as in ``Standing``: a rate below the tolerance, which counts the challenger's units
    alone, and an odds ratio below the margin, whose growth depends on the share. Their average must
    reach 1/alpha, so that one alone must reach twice that.
    """

    plan: Plan
    rates: Mapping[str, float]
    counted: int = 0
    progress: dict[str, float] = field(default_factory=dict)

    def needed(self, drawn: float) -> int | None:
        """The challenger's units until every metric is proven harmless, at a stage of that share.

        ``drawn`` is the challenger's part (0 to 1) of all units that are compared.
        """
        found = [self._of(metric, drawn) for metric in self.rates]
        needed = [count for count in found if count is not None]
        return max(needed) if len(needed) == len(found) else None

    def seen(self, drawn: float, count: int) -> None:
        """Take note of so many of the challenger's units at that share."""
        self.counted += count
        for metric in self.rates:
            alone = self._by_margin(metric, drawn)
            if alone:
                self.progress[metric] = self.progress.get(metric, 0.0) + count / alone

    def _of(self, metric: str, drawn: float) -> int | None:
        ways = []
        if self._margins(metric).tolerance:
            below = requests_below(
                Tally(),
                tolerance=self._margins(metric).tolerance / 100,
                alpha=self._alone(metric),
                rate=self.rates[metric],
            )
            if below is not None:
                ways.append(below - self.counted)
        by_margin = self._by_margin(metric, drawn)
        if by_margin is not None:
            ways.append(ceil(by_margin * (1 - self.progress.get(metric, 0.0))))
        return max(0, min(ways)) if ways else None

    def _by_margin(self, metric: str, drawn: float) -> int | None:
        rate = self.rates[metric]
        rates = Rates(rate, rate, drawn)
        capital = Capital.on_safety(self._margins(metric).safety)
        return requests_needed(capital, rates, alpha=self._alone(metric))

    def _alone(self, metric: str) -> float:
        return self.plan.alpha / 2 if self._margins(metric).tolerance else self.plan.alpha

    def _margins(self, metric: str) -> Margins:
        return self.plan.errors if metric == "errors" else self.plan.late
