"""The page of a cycle: each thing that was said, once."""

from __future__ import annotations

import msgspec

from replay.conversations import conversation
from tests.tui.test_views import golden
from tui.agents import page
from tui.model import Model


def test_a_call_that_failed_is_told_once() -> None:
    model = Model("golden")
    for recorded in golden().read():
        model.take(recorded)
    results = model.sight.results
    made = msgspec.structs.replace(conversation(results, next(iter(results[1].cycles))), failures=("it timed out",))
    assert [line for line in page(made, 80, lambda text: text.head) if "it timed out" in line] == [
        "failed call: it timed out"
    ]
