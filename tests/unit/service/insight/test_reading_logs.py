"""Reading logs: what is newest over all replicas, following without loss, and taking all away."""

from datetime import timedelta
from itertools import islice

import pytest

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.insight.logs import version_in
from halftone.service.insight.logs import everything, following, newest, piece, replicas
from tests.support.engine import NAME, Endpoint

SECOND = timedelta(seconds=1)


def stream(version, number=0):
    return f"2026/01/01/[{version}]{number:032x}"


class Log:
    """The log of an endpoint that serves; ``write`` lets a second pass."""

    def __init__(self):
        self.endpoint = Endpoint()
        self.endpoint.serve("m1")
        self.ports = self.endpoint.ports

    def write(self, where, *texts):
        clock = self.endpoint.world.clock
        clock.pass_by(SECOND)
        self.endpoint.world.logs.write(NAME, where, clock.now(), *texts)

    def newest(self, **which):
        return newest(self.ports, NAME, **which)

    def following(self, cursor, **which):
        return following(self.ports, NAME, cursor, **which)


@pytest.fixture
def log():
    return Log()


def texts(reading):
    return [line.text for line in reading.lines]


def test_lines_of_all_replicas_come_in_the_order_of_their_time(log):
    log.write(stream(1), "a")
    log.write(stream(2), "b")
    log.write(stream(1, 9), "c")
    assert texts(log.newest()) == ["a", "b", "c"]
    assert texts(log.newest(version="1")) == ["a", "c"]
    assert texts(log.newest(stream=stream(1))) == ["a"]
    assert texts(log.newest(most=2)) == ["b", "c"]


def test_without_a_number_2000_lines_are_shown(log):
    log.write(stream(1), *(str(number) for number in range(2500)))
    assert texts(log.newest()) == [str(number) for number in range(500, 2500)]


def test_following_shows_each_line_once_also_of_new_replicas(log):
    log.write(stream(1), "a")
    page = log.newest()
    assert texts(log.following(page.cursor)) == []
    log.write(stream(1), "b")
    log.write(stream(2), "c", "d")
    following = log.following(page.cursor)
    assert texts(following) == ["b", "c", "d"]
    assert texts(log.following(following.cursor)) == []


def test_following_does_not_show_what_is_older_than_shown(log):
    log.write(stream(1), *(f"old {number}" for number in range(5)))
    log.endpoint.world.clock.pass_by(timedelta(hours=3))
    log.write(stream(2), "new 1", "new 2")
    page = log.newest(most=2)
    assert texts(page) == ["new 1", "new 2"]
    log.write(stream(1), "awake")
    assert texts(log.following(page.cursor)) == ["awake"]


def test_a_replica_out_of_sight_comes_back_where_it_was_left(log):
    log.write(stream(1, 0), "first")
    page = log.newest()
    for number in range(1, 21):
        log.write(stream(1, number), f"from {number}")
    busy = log.following(page.cursor)
    assert "first" not in texts(busy)
    log.write(stream(1, 0), "back")
    assert texts(log.following(busy.cursor)) == ["back"]


def test_everything_is_taken_by_replica_the_oldest_first(log):
    log.write(stream(1), *(str(number) for number in range(2300)))
    log.write("2026/01/02/[1]" + "0" * 32, "next day")
    log.write(stream(2), "other")
    lines = everything(log.ports, NAME, version="1")
    assert [line.text for line in islice(lines, 3)] == ["0", "1", "2"]
    assert len(rest := [line.text for line in lines]) == 2298
    assert rest[-1] == "next day"
    assert [line.text for line in everything(log.ports, NAME)][-2:] == ["other", "next day"]
    assert [line.text for line in everything(log.ports, NAME, stream=stream(2))] == ["other"]


def test_a_piece_is_as_large_as_an_answer_and_the_next_goes_on(log):
    for number in range(5):
        log.write(stream(1, number), *(f"{number} {line} " + "x" * 200 for line in range(2000)))
    cursor, sizes, observed = None, [], []
    while True:
        result = piece(log.ports, NAME, cursor)
        sizes.append(sum(len(line.text) for line in result.lines))
        observed += [line.text.rsplit(" ", 1)[0] for line in result.lines]
        cursor = result.cursor
        if cursor is None:
            break
        log.write(stream(1, 0), "a line more changes which replica wrote last")
    assert observed == [f"{number} {line}" for number in range(5) for line in range(2000)]
    assert len(sizes) > 1
    assert max(sizes) < 2_500_000


def test_a_reading_is_as_large_as_an_answer_may_be(log):
    for number in range(3):
        log.write(stream(1, number), *(f"{number} {line} " + "x" * 2000 for line in range(500)))
    page = log.newest()
    assert 1_000_000 < sum(len(line.text) for line in page.lines) < 2_500_000
    assert page.lines[-1].text.startswith("2 499")
    for number in range(3):
        log.write(stream(1, number), *(f"{number} {line} " + "y" * 2000 for line in range(900)))
    result, texts_found = page, []
    for _ in range(4):
        result = log.following(result.cursor)
        assert sum(len(line.text) for line in result.lines) < 4_000_000
        texts_found += [line.text[:7] for line in result.lines]
    assert len(texts_found) == 2700
    assert len(set(texts_found)) == 2700


def test_a_line_in_a_download_tells_when_and_by_which_version(log):
    log.write(stream(7), "hello")
    (line,) = everything(log.ports, NAME)
    assert line.as_text() == f"{line.at.isoformat(timespec='milliseconds')} [7] hello"
    assert line.as_text()[23:29] == "+00:00"


def test_replicas_of_a_version_are_found_on_later_pages(log):
    log.write(stream(1), "a")
    for number in range(60):
        log.write(stream(2, number), "b")
    result, token = replicas(log.ports, NAME, version="1", most=5)
    assert [replica.stream for replica in result] == [stream(1)]
    assert token == ""


def test_what_is_not_there_is_named(log):
    with pytest.raises(NotFound, match="'spam'"):
        newest(log.ports, "spam")
    with pytest.raises(NotFound, match="no replica"):
        log.newest(stream=stream(1))
    with pytest.raises(InvalidInput, match=r"replica is .*a log stream of version 2"):
        log.newest(version="2", stream=stream(1))


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "bnVsbA", "W10", "WzEsMl0", "WyIyMDI2Iix7fV0"])
def test_what_is_no_cursor_is_refused(log, cursor):
    for read in (log.following, lambda text: piece(log.ports, NAME, text)):
        with pytest.raises(InvalidInput, match="cursor"):
            read(cursor)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("2026/01/31/[7]0123abcd", "7"),
        ("2026/01/31/[$LATEST]0123abcd", "$LATEST"),
        ("2026/01/31/halftone-dev-fraud[12]0123abcd", "12"),
        ("2026/01/31/0123abcd", None),
        ("[7]0123abcd", None),
        ("2026/01/31/[7]", None),
        ("", None),
    ],
)
def test_a_stream_tells_its_version(name, version):
    assert version_in(name) == version
