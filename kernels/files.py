"""Files that appear whole or not at all: written beside their place, synced, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lends a path to write to; when the block ends well, that file is synced and takes the place of `path`."""
    partial = path.with_name(path.name + ".part")
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(path)
