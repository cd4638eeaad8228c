"""What a shell is offered when somebody presses tab."""

from dataclasses import replace

import pytest

from halftone.domain.errors import Unavailable


@pytest.fixture
def complete(rolling):
    """The words that bash is offered at the end of a line."""

    def complete(line):
        parts = line.split(" ")
        rolling.environment |= {
            "_HALFTONE_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(parts) - 1),
        }
        return rolling().out.split()

    return complete


def test_commands_and_endpoints_are_completed(complete):
    assert complete("halftone roll") == ["rollback", "rollout"]
    assert complete("halftone rollout pa") == ["pause"]
    assert complete("halftone rollback fr") == ["fraud"]
    assert complete("halftone --stage qa rollback ") == ["fraud"]
    assert complete("halftone rollback zz") == []


def test_a_stage_that_does_not_answer_completes_nothing(complete, rolling):
    class Down:
        def endpoints(self):
            raise Unavailable("the table did not answer")

    rolling.ports = replace(rolling.endpoint.ports, catalogue=Down())

    assert complete("halftone rollback fr") == []
