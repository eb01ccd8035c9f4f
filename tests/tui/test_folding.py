"""The folder's thread: bursts become few pictures, the last of them whole; errors are never swallowed."""

from __future__ import annotations

import queue
import threading

from tests.replay.tales import busy
from tui.feed import Heard
from tui.folding import ROOM, Folding
from tui.links import Link
from tui.model import Model
from tui.overview import Overview
from tui.pulses import Epoch

PULSE = Heard(Epoch(worker="w", experiment="e-1", epoch=1, epochs=5, loss=0.1, validation=0.5))


def _unexpected(error: Exception) -> None:
    raise error


def test_a_burst_becomes_few_pictures_and_the_last_has_everything() -> None:
    c = busy(100)
    pictures: queue.SimpleQueue[Overview] = queue.SimpleQueue()
    folding = Folding(Model("tale"), pictures.put, _unexpected)
    for frame in c.log.read():
        folding.put(frame)
    folding.start()
    count = 1
    while pictures.get(timeout=20).subject.through < c.log.last():
        count += 1
    folding.stop()
    assert c.log.last() > 500
    assert count < 50


def test_a_pulse_that_finds_no_room_is_dropped_and_does_not_wait() -> None:
    folding = Folding(Model("tale"), lambda picture: None, _unexpected)
    for _ in range(ROOM + 10):
        folding.put(PULSE)  # nobody folds yet: one that waited would wait for ever


def test_a_frame_waits_for_room_and_is_let_go_when_the_folder_stops() -> None:
    folding = Folding(Model("tale"), lambda picture: None, _unexpected)
    for _ in range(ROOM):
        folding.put(PULSE)
    waiting = threading.Thread(target=folding.put, args=(next(busy(1).log.read()),))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    folding.stop()
    waiting.join(20)
    assert not waiting.is_alive()


def test_what_should_never_happen_is_told() -> None:
    told: queue.SimpleQueue[Exception] = queue.SimpleQueue()

    def show(picture: Overview) -> None:
        raise RuntimeError("the picture fell down")

    folding = Folding(Model("tale"), show, told.put)
    folding.start()
    folding.put(Link(state="live"))
    assert str(told.get(timeout=20)) == "the picture fell down"
    folding.stop()
