"""The tutorial as it stands on its page: each command is run, and what must be true looked at."""

import pytest

from demo.page import Shell, blocks
from demo.tutorial import PAGE, ROOT, environment
from halftone.domain import audit
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from tests.e2e.support import Stage

NAME = "delivery"


class Walk:
    """The page's blocks in their order; each is run once and known by its heading."""

    def __init__(self, stage: Stage) -> None:
        self._shell = Shell(ROOT, environment(stage.cloud.aws.port))
        self._left = blocks(PAGE.read_text())

    def __call__(self, heading: str) -> str:
        """What the commands below ``heading``, the next on the page, print."""
        block = self._left.pop(0)
        assert block.title == heading
        return self._shell.run(block)

    @property
    def over(self) -> bool:
        """Whether nothing of the page is left."""
        return not self._left


@pytest.fixture
def walk(stage: Stage) -> Walk:
    return Walk(stage)


def test_every_command_of_the_tutorial_does_what_the_page_says(stage: Stage, walk: Walk) -> None:
    alias = stage.ports.aliases
    walk("Before you start")
    assert "answered 1\n" in walk("Define the endpoint, and its first model")

    walk("Create it, and deploy blue")
    assert alias.read(NAME).routing == Routing("1")
    assert walk("Call it").count("status 200 by version 1\n") == 2
    assert "replicas 2 of 2 ready\n" in walk("Scale it")

    walk("Deploy green, without traffic")
    waiting = stage.rollout(NAME)
    assert (waiting.phase, waiting.challenger, waiting.share) == (Phase.AWAITING_APPROVAL, "2", 0.0)
    assert walk("Try green").count("status 200 by version 2\n") == 2
    assert alias.read(NAME).routing == Routing("1")

    mirrored = walk("Mirror a tenth of the traffic to it")
    assert "1        200     150       100.0 %\n" in mirrored, "clients were answered by blue"
    assert alias.read(NAME).routing == Routing("1")

    walk("Give it a tenth")
    assert alias.read(NAME).routing == Routing("1", "2", 10.0)

    walk("Give it all")
    assert alias.read(NAME).routing == Routing("2")

    walk("Delete blue")
    state = stage.state(NAME)
    assert [placed.name for placed in state.placed] == ["green"]

    walk("Delete the endpoint")
    state = stage.state(NAME)
    assert state.champion is None
    assert audit.verify(NAME, stage.ports.store.audit(NAME), state.audit)
    assert walk.over
