"""What came of a question to a model, as the log tells it: every word that was said, and what it cost."""

from __future__ import annotations

from actors.orders import Answered, Unanswered
from events.blobs import Blobs
from events.envelope import Fact, Text
from replay.cycles import Cycle


def told(kind: type[Fact], cycle: Cycle, result: Answered | Unanswered, blobs: Blobs | None) -> Fact:
    """Return the fact that tells a result: the fields of one name, texts as a fact carries them.

    Args:
        kind: `AnswerReceived` or `AnswerRefused`.
        cycle: that asked.
        result: of its question.
        blobs: where long texts lie; None for an agent whose policy writes none.
    """
    shared = {*kind.__struct_fields__} & {*result.__struct_fields__}
    fields = {name: getattr(result, name) for name in sorted(shared)}
    texts = {name: _kept(fields[name], blobs) for name in ("text", "correction", "corrected")}
    return kind(**fields | texts, cause=cycle.started, cycle=cycle.cycle)  # type: ignore[call-arg] # both have a cycle


def _kept(text: str | None, blobs: Blobs | None) -> Text | None:
    if text is None or blobs is None:
        return None if text is None else Text(head=text, length=len(text))
    return blobs.keep(text)
