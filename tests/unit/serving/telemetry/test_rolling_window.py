"""The last minute of a sandbox."""

from halftone.serving.telemetry.rolling_window import RollingWindow


class Clock:
    now = 1000.25

    def __call__(self):
        return self.now


def test_without_requests_there_is_no_rate():
    assert RollingWindow(Clock()).last_minute() == {
        "requests": 0,
        "error_rate": None,
        "mean_latency_ms": None,
    }


def test_a_cell_leaves_after_a_minute_and_is_used_again():
    clock = Clock()
    recent = RollingWindow(clock)
    recent.add(latency_ms=10, failed=True)
    clock.now += 30
    for _ in range(3):
        recent.add(latency_ms=2, failed=False)
    assert recent.last_minute() == {"requests": 4, "error_rate": 0.25, "mean_latency_ms": 4.0}
    clock.now = 1060.0
    assert recent.last_minute() == {"requests": 3, "error_rate": 0.0, "mean_latency_ms": 2.0}
    recent.add(latency_ms=6, failed=False)
    assert recent.last_minute()["requests"] == 4
    clock.now = 1120.0
    assert recent.last_minute()["requests"] == 0


def test_a_container_that_was_frozen_tells_nothing_old():
    clock = Clock()
    recent = RollingWindow(clock)
    recent.add(latency_ms=10, failed=True)
    clock.now += 6 * 3600
    assert recent.last_minute()["requests"] == 0


def test_the_server_counts_its_own_requests(serve):
    served = serve()
    for x in (1, "x", 2):
        served.post({"instances": [{"x": x}]})
    path = "/endpoints/double/health"
    answer = served.send({"rawPath": path, "requestContext": {"http": {"method": "GET"}}})
    assert answer["statusCode"] == 200
    assert '"loaded":true' in answer["body"]
    assert '"requests":3,"error_rate":0.0' in answer["body"]


def test_health_of_a_server_without_a_model_is_503(serve):
    served = serve("raise ValueError('secret')")
    path = "/endpoints/double/health"
    answer = served.send({"rawPath": path, "requestContext": {"http": {"method": "GET"}}})
    assert answer["statusCode"] == 503
    assert '"loaded":false' in answer["body"]
    assert "secret" not in answer["body"]
