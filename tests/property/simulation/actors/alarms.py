"""CloudWatch: alarms that fire, late, for the second time, and for somebody else."""

from typing import Any

from halftone.domain.audit import Author
from halftone.ports import Ports
from halftone.service.rollouts import alarm
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import NOBODY, ROLLBACK, Actor, happens
from tests.support.engine import NAME


def _event(ports: Ports, _: Outside, fired_at: Any) -> object:
    if fired_at is None:
        return None
    return alarm.on_alarm(
        ports, NAME, author=Author("alarm", "errors above 5 %"), fired_at=fired_at
    )


def _once_more(ports: Ports, outside: Outside, _: Any) -> object:
    return _event(ports, outside, outside("fired_at"))


DELIVERED = Act(_event, again=2)
"""The event, until it is taken."""

WATCHED = frozenset({"watched", "passing on", "at the gate", "scored", "beside", "aside"})
ACTORS = (
    Actor("alarm", "alarm", ROLLBACK, (happens("alarm"), DELIVERED), WATCHED, Act(_once_more)),
    Actor("alarm whose event is lost", "alarm", NOBODY, (happens("alarm"),), WATCHED),
    Actor("alarm that flaps", "alarm", ROLLBACK,
          (happens("alarm"), happens("alarm_ends"), Act(_once_more, again=2)), WATCHED,
          Act(_once_more)),
    Actor("alarm of the champion", "alarm", ROLLBACK, (happens("champion_alarm"), DELIVERED),
          frozenset({"serving", "beside"}), Act(_once_more)),
    Actor("late alarm of another", "late alarm", ROLLBACK, (happens("older_alarm"), DELIVERED),
          WATCHED),
    Actor("composite that lags", "composite", ROLLBACK,
          (happens("composite_lags"), DELIVERED), WATCHED),
    Actor("alarms rewritten", "rewritten", NOBODY, (happens("alarms_rewritten"),), WATCHED),
    Actor("one alarm rewritten", "rewritten", NOBODY, (happens("one_alarm_rewritten"),), WATCHED),
)  # fmt: skip
