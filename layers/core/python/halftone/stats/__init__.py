"""Sequential tests on counts: is the challenger worse, is it harmless, does it get its share?

Pure: the standard library only, no clock, no environment, no randomness. Every test returns the
natural logarithm of an e-value, which may be read after each closed bucket without spending
anything: a claim is proven at error rate α once it reaches ln(1/α), whenever that is.
docs/analysis.md derives and measures them.

======================  =======================================================================
`tally`                 counts: `Tally`, `Stratum`; `pooled`: when few of them are enough for a bet
`capital`               `regression` and `safety` by the conditional odds ratio, as a fold
`tolerance`             `below`, `above`: a rate proven small, or too large, by one version's counts
`share`                 does the challenger get the traffic it was given?
`mixture`               `combine` several e-values into one
`likelihood`            estimate and anytime-valid interval of the odds ratio
`power`                 requests still needed; what a step can see
`comparison`            `Standing` (the state to carry) and `Comparison` (the numbers of a verdict)
======================  =======================================================================
"""

from halftone.stats.capital import (
    GRID,
    REGRESSION_MARGIN,
    SAFETY_MARGIN,
    Capital,
    regression,
    safety,
)
from halftone.stats.comparison import Comparison, Standing, compare, present_rates
from halftone.stats.likelihood import Interval, Likelihood, odds_ratio_interval
from halftone.stats.mixture import combine
from halftone.stats.power import Rates, detectable, power, requests_needed
from halftone.stats.share import Split, share
from halftone.stats.tally import POOLED, Stratum, Tally, pooled, total
from halftone.stats.tolerance import Tolerated, above, below, requests_below

__all__ = [
    "GRID",
    "POOLED",
    "REGRESSION_MARGIN",
    "SAFETY_MARGIN",
    "Capital",
    "Comparison",
    "Interval",
    "Likelihood",
    "Rates",
    "Split",
    "Standing",
    "Stratum",
    "Tally",
    "Tolerated",
    "above",
    "below",
    "combine",
    "compare",
    "detectable",
    "odds_ratio_interval",
    "pooled",
    "power",
    "present_rates",
    "regression",
    "requests_below",
    "requests_needed",
    "safety",
    "share",
    "total",
]
