"""What is written a file at a time is an archive to everybody else."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from registry import zip_files

AT = datetime(2026, 6, 1, 12, 30, 42, tzinfo=UTC)
FAR = 5 * 1024**3


def archive(contents: dict[str, bytes]) -> bytes:
    written, files = b"", []
    for name, content in contents.items():
        more, file = zip_files.local(name, content, start=len(written), at=AT)
        written += more
        files.append(file)
    return written + zip_files.directory(files, start=len(written))


@given(st.dictionaries(st.text("abcé/数.", min_size=1, max_size=20), st.binary(max_size=2_000)))
def test_pythons_own_reader_finds_every_file(contents: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(contents))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == contents


def test_times_and_rights_are_plain() -> None:
    with zipfile.ZipFile(io.BytesIO(archive({"a.txt": b"a"}))) as read:
        (info,) = read.infolist()
    assert info.date_time == (2026, 6, 1, 12, 30, 42)
    assert info.external_attr >> 16 == 0o100644


def test_an_archive_may_be_larger_than_four_gigabytes(tmp_path: Path) -> None:
    first, near = zip_files.local("near.txt", b"near", start=0, at=AT)
    second, far = zip_files.local("far.txt", b"far", start=FAR, at=AT)
    with (tmp_path / "sparse.zip").open("wb") as file:
        file.write(first)
        file.seek(FAR)
        file.write(second)
        file.write(zip_files.directory([near, far], start=FAR + len(second)))

    with zipfile.ZipFile(tmp_path / "sparse.zip") as read:
        assert (read.read("near.txt"), read.read("far.txt")) == (b"near", b"far")


def test_an_archive_may_have_very_many_files() -> None:
    _, one = zip_files.local("a", b"", start=0, at=AT)
    files = [one._replace(name=str(number)) for number in range(70_000)]
    with zipfile.ZipFile(io.BytesIO(bytes(64) + zip_files.directory(files, start=64))) as read:
        assert len(read.namelist()) == 70_000
