"""Files appear whole, and nothing else is destroyed for them."""

import os
import threading
from pathlib import Path

import pytest

from tribute import whole_files


def test_a_file_is_replaced_and_no_draft_is_left(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_text("old")

    whole_files.write(path, b"new")

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [(path.name, b"new")]


def test_what_cannot_be_written_whole_leaves_the_old(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_text("old")
    (tmp_path / "receipt.json.draft").mkdir()

    with pytest.raises(OSError, match="draft"):
        whole_files.write(path, b"new")

    assert path.read_text() == "old"


def test_a_link_stays_one_and_what_it_names_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("file")

    whole_files.write(link, b"new")

    assert (link.is_symlink(), (tmp_path / "file").read_bytes()) == (True, b"new")
    with pytest.raises(ValueError, match="is not a file"):
        whole_files.require_replaceable(link)


def test_a_pipe_is_written_into_not_replaced(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()

    whole_files.write(pipe, b"receipt")
    reader.join()

    assert (read, pipe.is_fifo()) == ([b"receipt"], True)
    with pytest.raises(ValueError, match="is not a file"):
        whole_files.require_replaceable(pipe)
