"""Tables in little room: nothing wider than it may be, and the least important gone first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tui.columns import NARROW, Column, cells_of, cut, fit

COLUMNS = (Column("run"), Column("AP", right=True), Column("agent", 1), Column("why", 2, long=8))
ROWS = [("e-1", "0.5", "tpe", "because it is new"), ("e-20", "0.61", "uniform", "again")]


@given(
    st.lists(st.tuples(*[st.text(max_size=30)] * 4), max_size=5),
    st.integers(0, 90),
)
def test_no_line_is_wider_than_the_room(rows: list[tuple[str, ...]], width: int) -> None:
    assert all(cells_of(line) <= width for line in fit(COLUMNS, rows, width))


def test_everything_is_there_where_there_is_room() -> None:
    assert fit(COLUMNS, ROWS, 60) == [
        "run     AP  agent    why",
        "e-1    0.5  tpe      because it is new",
        "e-20  0.61  uniform  again",
    ]


def test_long_words_are_cut_before_a_column_goes() -> None:
    assert fit(COLUMNS, ROWS, 32)[1] == "e-1    0.5  tpe      because it…"


def test_columns_go_by_rank_the_largest_first() -> None:
    assert fit(COLUMNS, ROWS, 28)[0].split() == ["run", "AP", "agent"]
    assert fit(COLUMNS, ROWS, 14)[0].split() == ["run", "AP"]


def test_what_stays_always_is_cut_where_even_that_is_too_wide() -> None:
    assert fit(COLUMNS, ROWS, 6) == ["run  …", "e-1  …", "e-20 …"]


def test_wide_characters_count_as_the_cells_that_they_take() -> None:
    assert cut("日本語日本語", 7) == "日本語…"
    assert [cells_of(line) for line in fit((Column("a"), Column("b")), [("日本", "x"), ("ab", "x")], 40)] == [7, 7, 7]


def test_characters_that_are_called_narrow_take_a_cell_each() -> None:
    for first, last in NARROW:
        for code in range(ord(first), ord(last) + 1):
            if code != 0xAD:  # a soft hyphen is not printable: `plain` takes it out
                assert Content(chr(code)).cell_length == 1, hex(code)
