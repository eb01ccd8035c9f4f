"""Frames to bytes and back, for every fact there is; older vocabularies; who may write what; names on the wire."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from events import authors, codec, facts, subjects, upcasters
from events.envelope import Fact, Position, Text
from events.errors import AuthorForbidden, FrameRefused, FrameUnreadable, LogError
from events.space import Space
from events.spaces import PAPER, over

SPACES = (PAPER, over(("appearance",), ("retnet",)), PAPER.narrowed({"loss": ("bce",), "dropout": (0.1, 0.2)}))
WRITER = {kind: role for role, kinds in authors.WRITES.items() for kind in kinds}


def _values(kind: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return st.one_of(*map(_values, arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1:] == (...,):
        return st.lists(_values(arguments[0]), max_size=4).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_values, arguments))
    if origin is dict:
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=4)
    return SIMPLE[kind] if kind in SIMPLE else _structs(kind)


def _structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{field.name: _values(field.type) for field in msgspec.structs.fields(kind)})


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=30),
    int: st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    NoneType: st.none(),
    None: st.none(),
    Space: st.sampled_from(SPACES),
}
FACTS = st.sampled_from(sorted(codec.KINDS)).flatmap(lambda name: _structs(codec.KINDS[name]))


@given(FACTS)
def test_every_fact_is_read_back_as_it_was_written(fact: Fact) -> None:
    author = f"{WRITER[type(fact)]}-x"
    payload = codec.encode((fact,), author)
    assert codec.decode(payload, author=author) == (fact,)
    assert codec.encode(codec.decode(payload), author) == payload


@given(st.lists(FACTS, min_size=1, max_size=5))
def test_a_frame_is_its_facts_in_order(frame: list[Fact]) -> None:
    payload = b"[" + b",".join(msgspec.json.encode(fact) for fact in frame) + b"]"
    assert codec.decode(payload) == tuple(frame)


def test_a_frame_is_a_json_array_in_the_order_of_the_fields() -> None:
    retired = facts.WorkerRetired(worker="worker-a", reason="done", at=5, cause=Position(3, 1), through=4)
    assert codec.encode((retired,), "worker-a") == (
        b'[{"type":"WorkerRetired","at":5,"cause":[3,1],"through":4,"worker":"worker-a","reason":"done"}]'
    )


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_that_are_no_frame_are_unreadable_and_nothing_else(payload: bytes) -> None:
    assume(not payload.strip().startswith(b"["))
    with pytest.raises(FrameUnreadable, match="position 12") as unreadable:
        codec.decode(payload, sequence=12)
    assert unreadable.value.sequence == 12


@pytest.mark.parametrize(
    "payload",
    [
        b"[]x",
        b"[{}]",
        b'[{"type":7}]',
        b'[{"type":["WorkerRetired"]}]',
        b'[{"type":"WorkerRetired"}]',
        b'[{"type":"WorkerRetired","worker":"\xff","reason":""}]',
        b'{"type":"X"}',
        b"[1]",
    ],
)
def test_malformed_frames_are_unreadable(payload: bytes) -> None:
    with pytest.raises(FrameUnreadable) as unreadable:
        codec.decode(payload)
    assert unreadable.value.unknown is None


def test_a_type_from_a_newer_myriad_is_named() -> None:
    with pytest.raises(FrameUnreadable, match="a Tomorrow, written by a newer Myriad") as unreadable:
        codec.decode(b'[{"type":"WorkerRetired","worker":"a","reason":"b"},{"type":"Tomorrow"}]', sequence=8)
    assert (unreadable.value.unknown, unreadable.value.sequence) == ("Tomorrow", 8)


def test_a_field_from_a_newer_myriad_is_passed_over() -> None:
    (fact,) = codec.decode(b'[{"type":"WorkerRetired","worker":"a","reason":"b","mood":"fine"}]')
    assert fact == facts.WorkerRetired(worker="a", reason="b")


def test_a_field_that_an_older_myriad_did_not_write_has_its_default() -> None:
    (fact,) = codec.decode(b'[{"type":"AnswerReceived","cycle":"c-1","text":{"head":"hi"},"model":"m"}]')
    assert fact == facts.AnswerReceived(cycle="c-1", text=Text(head="hi"), model="m")


def _was_left(fact: dict[str, Any]) -> dict[str, Any]:
    return {**fact, "type": "WorkerLeft"}


def _left_is_retired(fact: dict[str, Any]) -> dict[str, Any]:
    return {**fact, "type": "WorkerRetired", "reason": fact.get("why", "unknown")}


def test_a_fact_of_an_older_vocabulary_is_carried_through_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upcasters.UPCASTERS, "WorkerGone", _was_left)
    monkeypatch.setitem(upcasters.UPCASTERS, "WorkerLeft", _left_is_retired)
    today = facts.WorkerRetired(worker="a", reason="tired", at=9)
    older = b'[{"type":"WorkerGone","worker":"a","why":"tired","at":9},{"type":"WorkerLeft","worker":"b"}]'
    assert codec.decode(older, author="worker-a") == (today, facts.WorkerRetired(worker="b", reason="unknown"))
    mixed = b'[{"type":"WorkerRetired","worker":"a","reason":"tired","at":9},{"type":"WorkerLeft","worker":"b"}]'
    assert codec.decode(mixed)[0] == today


def test_an_upcast_fact_is_still_its_authors_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upcasters.UPCASTERS, "WorkerLeft", _left_is_retired)
    with pytest.raises(AuthorForbidden):
        codec.decode(b'[{"type":"WorkerLeft","worker":"b"}]', author="analyst")


def test_an_older_fact_that_lacks_what_its_change_needs_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upcasters.UPCASTERS, "WorkerLeft", lambda fact: {**fact, "type": fact["kind"]})
    with pytest.raises(FrameUnreadable):
        codec.decode(b'[{"type":"WorkerLeft","worker":"b"}]')


def test_every_type_has_a_writer() -> None:
    assert set(WRITER) == set(codec.KINDS.values())


@given(FACTS)
def test_a_fact_is_written_by_the_roles_that_the_table_names_and_no_other(fact: Fact) -> None:
    for role, kinds in authors.WRITES.items():
        if type(fact) in kinds:
            authors.check(f"{role}-x", (fact,))
        else:
            with pytest.raises(AuthorForbidden, match=f"{role}-x may not write {type(fact).__name__}"):
                authors.check(f"{role}-x", (fact,))
    with pytest.raises(AuthorForbidden):
        authors.check("stranger", (fact,))


@given(st.integers(min_value=2**53))
def test_integers_that_other_readers_would_round_are_refused(number: int) -> None:
    for value in (number, -number):
        with pytest.raises(FrameRefused, match="below 2\\^53"):
            codec.encode((facts.WorkerRetired(worker="a", reason="b", at=value),), "worker-a")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_cannot_carry_are_refused_wherever_they_are(value: float) -> None:
    curves = facts.Curves(loss=(0.5, value), validation=(0.1, 0.2))
    measured = facts.MetricsMeasured(values={"entropy": value}, digest="d")
    completed = facts.Completed(
        experiment="e",
        attempt=1,
        validation=0.1,
        test=0.1,
        noise=0.1,
        epoch=1,
        curves=curves,
        gpu_seconds=1.0,
        peak_memory=1,
    )
    for fact, author, where in ((completed, "worker-a", "curves.loss"), (measured, "analyst", "values.entropy")):
        with pytest.raises(FrameRefused, match=where):
            codec.encode((fact,), author)


TOKENS = st.text("ab-_9", min_size=1, max_size=3)
SUBJECTS = st.lists(TOKENS, min_size=1, max_size=6).map(".".join)


@given(SUBJECTS)
def test_a_subject_is_meant_by_itself_and_by_wildcards_for_each_token(name: str) -> None:
    tokens = name.split(".")
    assert subjects.matches(name, name)
    assert subjects.matches(">", name)
    for index in range(len(tokens)):
        assert subjects.matches(".".join([*tokens[:index], "*", *tokens[index + 1 :]]), name)
        assert subjects.matches(".".join([*tokens[:index], ">"]), name)
    assert not subjects.matches(f"{name}.>", name)
    assert not subjects.matches(f"{name}.*", name)
    assert not subjects.matches(f"{name}.x", name)
    assert not subjects.matches(name, f"{name}.x")


@pytest.mark.parametrize("word", ["", "a.b", "a b", "*", ">", "ä", "x" * 65, "a\n"])
def test_what_a_subject_cannot_carry_is_no_token(word: str) -> None:
    with pytest.raises(LogError, match="pack"):
        subjects.token(word, what="pack")
    assert not subjects.is_frame("tale", f"myriad.tale.pack.{word}.worker-a")


def test_a_frames_subject_has_its_campaign_and_five_tokens() -> None:
    assert subjects.is_frame("tale", subjects.subject("tale", "pack", "p-1", "worker-a"))
    assert not subjects.is_frame("other", subjects.subject("tale", "pack", "p-1", "worker-a"))
    assert not subjects.is_frame("tale", "myriad.tale.pack.p-1")
    assert not subjects.is_frame("tale", subjects.pulse("tale", "worker-a"))
