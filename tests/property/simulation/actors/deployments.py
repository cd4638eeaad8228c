"""People who stop, start, name and delete deployments, and who delete them in Lambda by hand."""

from typing import Any

from halftone.domain.audit import Author
from halftone.ports import Ports
from halftone.service.deployments import changes
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import CONTROL, NOBODY, Actor, happens
from tests.support.engine import NAME

SEVERAL = frozenset({"serving", "beside", "passing on", "returned"})
ANN: dict[str, Any] = {"author": Author("ann", "spring cleaning")}


def _does(change: str, *what: object) -> tuple[Act, ...]:
    def program(ports: Ports, _: Outside, __: Any) -> object:
        return getattr(changes, change)(ports, NAME, *what, **ANN)

    return (Act(program),)


ACTORS = (
    Actor("person stops 1", "deployment", CONTROL, _does("stop", "1"), SEVERAL),
    Actor("person starts 1", "deployment", CONTROL, _does("start", "1"), SEVERAL),
    Actor("person names 1", "deployment", CONTROL, _does("rename", "1", "blue"), SEVERAL),
    Actor("person deletes 1", "deployment", CONTROL, _does("delete", "1"), SEVERAL),
    Actor("person deletes 2", "deployment", CONTROL, _does("delete", "2"), SEVERAL),
    Actor("1 is deleted in Lambda", "hand", NOBODY, (happens("deleted_in_lambda", "1"),), SEVERAL),
    Actor("2 is deleted in Lambda", "hand", NOBODY, (happens("deleted_in_lambda", "2"),), SEVERAL),
    Actor("3 is deleted in Lambda", "hand", NOBODY, (happens("deleted_in_lambda", "3"),),
          frozenset({"returned"})),
)  # fmt: skip
