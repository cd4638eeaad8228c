"""What clients make of an endpoint's metrics, as the platform counts it."""

from tests.property.simulation.actors.actor import NOBODY, Actor, happens

ROLLING = frozenset({"watched", "passing on", "at the gate", "scored", "promoting on age"})
ACTORS = (
    Actor("challenger turns bad", "metrics", NOBODY, (happens("turns_bad"),), ROLLING),
    Actor("challenger gets nothing", "metrics", NOBODY, (happens("gets_nothing"),), ROLLING),
    Actor("nobody asks", "metrics", NOBODY, (happens("falls_silent"),), ROLLING),
    Actor("counts come in parts", "metrics", NOBODY,
          (happens("half_counted"), happens("pass_by", 10.0), happens("recounted")), ROLLING),
    Actor("counts are impossible", "metrics", NOBODY, (happens("impossible"),), ROLLING),
)  # fmt: skip
