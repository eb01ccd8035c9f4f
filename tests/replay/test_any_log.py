"""Logs of campaigns under any faults: folding on from any point of them is folding the whole."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.chaos.faults import script
from actors.chaos.nemesis import Nemesis
from events.log import Recorded
from replay import folds
from replay.fleet import FleetFold
from replay.measures import MEASURES, Measurement


@cache
def frames_of(seed: int) -> list[Recorded]:
    nemesis = Nemesis(seed, script(seed))
    nemesis.play()
    return list(nemesis.wire.read())


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.data())
def test_folding_a_and_then_b_is_folding_both(seed: int, data: st.DataObject) -> None:
    frames = frames_of(seed)
    cut = data.draw(st.integers(0, len(frames)))
    whole, parts = Measurement(), Measurement()
    whole.advance(frames)
    parts.advance(frames[:cut])
    before = parts.digest()
    parts.advance(frames[cut:])
    assert parts.values() == whole.values()
    assert parts.digest() == whole.digest()
    again = Measurement()
    again.advance(frames[:cut])
    assert again.digest() == before


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.data())
def test_every_fold_goes_on_from_what_it_made(seed: int, data: st.DataObject) -> None:
    frames = frames_of(seed)
    cut = data.draw(st.integers(0, len(frames)))
    for fold in (*MEASURES, FleetFold()):
        whole, parts = folds.Pass(fold), folds.Pass(fold)
        whole.advance(frames)
        parts.advance(frames[:cut])
        parts.advance(frames[cut:])
        assert parts.results() == whole.results()
