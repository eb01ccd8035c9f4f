"""Archives of any frames: read back as they were written, and any harm to any byte of them is found and placed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.archives import archive
from events.archives.archive import ArchiveDamaged, Torn
from events.log import Recorded
from events.memory import MemoryLog
from tests.events.saying import recorded

PAYLOADS = st.lists(
    st.binary(max_size=300) | st.binary(max_size=12).map(lambda some: some * 400), min_size=1, max_size=8
)

_numbers = itertools.count(1)

ANY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def archived(folder: Path, payloads: list[bytes]) -> tuple[Path, list[Recorded]]:
    log = MemoryLog("tale")
    log.restore([recorded("tale", n, payload) for n, payload in enumerate(payloads, start=1)])
    path = folder / f"{next(_numbers)}.myriad"
    archive.export(log, path)
    return path, list(log.read())


@ANY
@given(PAYLOADS)
def test_any_frames_are_read_back_as_they_were_written(tmp_path: Path, payloads: list[bytes]) -> None:
    path, frames = archived(tmp_path, payloads)
    assert list(archive.open_file(path).read()) == frames


@ANY
@given(PAYLOADS, st.data())
def test_any_truncation_is_found_and_placed(tmp_path: Path, payloads: list[bytes], data: st.DataObject) -> None:
    path, frames = archived(tmp_path, payloads)
    whole = path.read_bytes()
    length = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:length])
    with pytest.raises(Torn) as torn:
        archive.open_file(path)
    assert torn.value.byte <= length
    assert 0 <= torn.value.after <= len(frames)


@ANY
@given(PAYLOADS, st.data())
def test_any_flipped_bits_are_found_and_placed(tmp_path: Path, payloads: list[bytes], data: st.DataObject) -> None:
    path, frames = archived(tmp_path, payloads)
    damaged = bytearray(path.read_bytes())
    bits = data.draw(st.sets(st.integers(0, 8 * len(damaged) - 1), min_size=1, max_size=3))
    for bit in bits:
        damaged[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(damaged)
    with pytest.raises(ArchiveDamaged) as found:
        archive.open_file(path)
    assert found.value.byte <= max(bits) // 8
    assert 0 <= found.value.after <= len(frames)
