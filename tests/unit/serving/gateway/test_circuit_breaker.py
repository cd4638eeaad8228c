"""A version that keeps failing is left alone, and tried again."""

from halftone.serving.gateway.circuit_breaker import FAULTS, REST_SECONDS, CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def opened():
    clock = Clock()
    circuits = CircuitBreaker(clock)
    for _ in range(FAULTS):
        assert circuits.allows("2")
        circuits.failed("2")
    return circuits, clock


def test_faults_in_a_row_open_it_for_that_version_alone():
    circuits, _ = opened()
    assert not circuits.allows("2")
    assert circuits.allows("3")


def test_an_answer_in_between_starts_the_count_again():
    circuits = CircuitBreaker(Clock())
    for _ in range(5):
        for _ in range(FAULTS - 1):
            circuits.failed("2")
        circuits.answered("2")
    assert circuits.allows("2")


def test_half_open_one_request_tries():
    circuits, clock = opened()
    clock.now += REST_SECONDS
    assert circuits.allows("2")
    assert not circuits.allows("2"), "the others wait for what that one brings"
    circuits.failed("2")
    assert not circuits.allows("2")
    clock.now += REST_SECONDS
    assert circuits.allows("2")
    circuits.answered("2")
    assert all(circuits.allows("2") for _ in range(3))


def test_an_answer_closes_the_circuit_of_its_version_alone():
    circuits = CircuitBreaker(Clock())
    for version in ("2", "3"):
        circuits.failed(version)
    circuits.answered("2")
    circuits.answered("never failed")
    assert [circuits.has_failures(version) for version in ("2", "3")] == [False, True]
