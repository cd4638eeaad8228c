"""Files that commands write: whole or not at all, and nothing but files is ever replaced."""

import os
import stat
import threading
from pathlib import Path

import pytest

from halftone.domain.errors import InvalidInput
from halftone_cli.local.files import write_whole


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "audit.jsonl"
    target.write_bytes(b"what was there before, and longer")
    write_whole(target, b"new", option="--output")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_keeps_pointing_at_its_file(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    link = tmp_path / "latest"
    link.symlink_to("kept/audit.jsonl")
    write_whole(link, b"new", option="--output")
    assert link.is_symlink()
    assert (tmp_path / "kept/audit.jsonl").read_bytes() == b"new"


def test_what_is_no_regular_file_is_written_to_and_stays(tmp_path: Path) -> None:
    # As root, replacing /dev/null would take it from every process of the machine.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"records", option="--output")
    reader.join(timeout=5)
    assert read == [b"records"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_target_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"--output.*missing/audit\.jsonl.*can be written"):
        write_whole(tmp_path / "missing/audit.jsonl", b"", option="--output")
    with pytest.raises(InvalidInput, match="Is a directory"):
        write_whole(tmp_path, b"", option="--output")
