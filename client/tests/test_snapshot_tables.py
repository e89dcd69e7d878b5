"""The files of one state."""

import gc
from pathlib import Path

import numpy as np
import pytest

from tribute.snapshot.tables import StateWriter, columns_of


def test_a_full_disk_is_one_error_and_every_file_is_closed(tmp_path: Path) -> None:
    columns = columns_of("sha256")
    for column in columns:
        (tmp_path / f"sha256.{column}").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"), StateWriter(tmp_path) as state:
        state.append("sha256", {name: np.zeros(1, kind) for name, kind in columns.items()})

    del state
    gc.collect()  # what was left open would complain here, and fail the test
