"""Long texts by their digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.blobs import HEAD, TAIL, WHOLE, Blobs
from events.errors import BlobMissing


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.text(min_size=1).map(lambda word: word * WHOLE))
def test_every_text_comes_back_whole(tmp_path: Path, text: str) -> None:
    blobs = Blobs(tmp_path / "blobs")
    kept = blobs.keep(text)
    assert blobs.whole(kept) == text
    assert kept.length == len(text)


def test_a_short_text_lies_in_its_fact_alone(tmp_path: Path) -> None:
    kept = Blobs(tmp_path / "blobs").keep("x" * WHOLE)
    assert (len(kept.head), kept.tail, kept.digest) == (WHOLE, "", None)
    assert not (tmp_path / "blobs").exists()


def test_a_long_text_keeps_its_ends_in_the_fact(tmp_path: Path) -> None:
    kept = Blobs(tmp_path / "blobs").keep("a" * HEAD + "middle" * 1000 + "z" * TAIL)
    assert (kept.head, kept.tail) == ("a" * HEAD, "z" * TAIL)


def test_equal_content_is_kept_once_and_listed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digests = [blobs.put(content) for content in (b"one", b"two", b"one")]
    assert digests[0] == digests[2]
    assert list(blobs.digests()) == sorted(set(digests))
    assert [blobs.get(digest) for digest in digests] == [b"one", b"two", b"one"]


def test_content_that_changed_or_is_gone_is_not_given_out(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = blobs.put(b"one")
    path = next((tmp_path / "blobs").glob("??/*"))
    path.write_bytes(b"onf")
    with pytest.raises(BlobMissing, match="damaged"):
        blobs.get(digest)
    path.unlink()
    with pytest.raises(BlobMissing, match="not in"):
        blobs.get(digest)
