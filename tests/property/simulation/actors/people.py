"""People who change how an endpoint serves: shares, rules, mirror, mode, key, access, whether."""

from collections.abc import Callable
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.model.registry import ModelReference
from halftone.ports import Ports
from halftone.service.endpoints import availability, clients, policy
from halftone.service.registry import registry
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import CONTROL, Actor, by_name
from tests.support.engine import NAME

BOB: dict[str, Any] = {"author": Author("bob", "a try")}
BESIDE = frozenset({"beside", "passing on", "returned", "at the gate", "aside"})
BETA = {"query": {"beta": "1"}}


def _does(change: Callable[..., object], *what: object) -> tuple[Act, ...]:
    say = by_name(change)

    def program(ports: Ports, _: Outside, __: Any) -> object:
        return say(ports, NAME, *what, **BOB)

    return (Act(program),)


def _tags(ports: Ports, _: Outside, __: Any) -> object:
    reference = ModelReference("m2", number=1)
    return registry.describe(ports, reference, {"tags": {"validation_status": "FAILED"}}, **BOB)


def _adds_client(ports: Ports, outside: Outside, _: Any) -> object:
    added = clients.add_client(ports, NAME, "ann", random=lambda count: b"\x07" * count, **BOB)
    outside("token", added.token)
    return None


ACTORS = (
    Actor("person gives 1 a share", "traffic", CONTROL,
          _does(policy.set_traffic, {"champion": 60, "1": 40}), BESIDE),
    Actor("person gives 2 a share", "traffic", CONTROL,
          _does(policy.set_traffic, {"champion": 60, "2": 40}), BESIDE),
    Actor("person gives 2 all", "traffic", CONTROL,
          _does(policy.set_traffic, {"2": 100}), BESIDE),
    Actor("person gives 3 a share", "traffic", CONTROL,
          _does(policy.set_traffic, {"champion": 60, "3": 40}), BESIDE),
    Actor("person gives the champion all", "traffic", CONTROL,
          _does(policy.set_traffic, {"champion": 100}), BESIDE),
    Actor("person stops traffic", "traffic", CONTROL, _does(policy.set_traffic, {"champion": 0})),
    Actor("person rules for the champion", "rules", CONTROL,
          _does(policy.set_rules, [{"match": BETA, "to": "champion"}]), BESIDE),
    Actor("person rules for 2", "rules", CONTROL,
          _does(policy.set_rules, [{"match": BETA, "to": "2"}]), BESIDE),
    Actor("person drops rules", "rules", CONTROL, _does(policy.set_rules, []), BESIDE),
    Actor("person mirrors to 1", "mirror", CONTROL,
          _does(policy.set_mirror, {"to": "1", "share": 10})),
    Actor("person makes it guarded", "mode", CONTROL, _does(policy.set_mode, "guarded")),
    Actor("person makes it weighted", "mode", CONTROL, _does(policy.set_mode, "weighted")),
    Actor("person sets a key", "key", CONTROL, _does(policy.set_key, {"query": "user"})),
    Actor("person makes it private", "access", CONTROL, _does(policy.set_access, "private")),
    Actor("person makes it public", "access", CONTROL, _does(policy.set_access, "public")),
    Actor("person adds a client", "access", CONTROL, (Act(_adds_client),)),
    Actor("person disables", "stopping", CONTROL,
          _does(availability.disable)),
    Actor("person enables", "stopping", CONTROL,
          _does(availability.enable)),
    Actor("person tags 2 FAILED", "registry", CONTROL, (Act(_tags),),
          BESIDE | {"watched", "scored"}),
)  # fmt: skip
