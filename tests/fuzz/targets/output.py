"""Framing of what package code writes: no bytes, in any pieces, make a line that is believed."""

from halftone.domain.insight.capture import read_line
from halftone.serving.inference.model_output import PREFIX, Lines
from halftone_local.emf import metrics_in


def check(data: bytes) -> None:
    """Each line begins with the prefix, and there is no other separator in it."""
    size, lines, written = 1 + (data[0] if data else 0), Lines(), []
    for at in range(0, len(data), size):
        written += lines.feed(data[at : at + size])
    written += lines.end()
    text = b"".join(written).decode()
    assert text.splitlines() == text.split("\n")[:-1]
    for line in text.splitlines():
        assert line.startswith(PREFIX)
        assert not metrics_in(line)
        assert read_line(line) is None
