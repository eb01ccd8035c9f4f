"""Canaries refuse planted bugs and say where they are; the healthy instrument passes."""

from contextlib import closing
from pathlib import Path

import pytest

from kernels.wiring import stages
from tests.kernels.mechanical import mutants
from tests.kernels.planted import PLANTED
from tests.kernels.planting import ROOM, Copy, Mutant, looked_at

QUICK = {"the splits overlap", "focal loss is not wired", "the mean counts padding", "the gradient is not clipped"}
FEW = tuple(mutant for mutant in PLANTED if mutant.name in QUICK)
SURVIVING = 0.05  # share of the mechanical mutants that may pass


def test_bugs_of_four_kinds_are_refused_and_named(tmp_path: Path) -> None:
    assert len(FEW) == len(QUICK)
    for caught in looked_at(FEW, tmp_path):
        assert caught.is_named, (caught.mutant.name, caught.said)


def test_every_place_where_a_bug_is_planted_is_there_exactly_once() -> None:
    for mutant in (*PLANTED, *mutants()):
        for edit in mutant.edits:
            assert (ROOM / edit.file).read_text().count(edit.old) == 1, (mutant.name, edit)


def test_every_dimension_is_mutated_in_four_ways() -> None:
    every = mutants()
    assert len(PLANTED) >= 25
    assert len(every) > 100
    assert len({mutant.name for mutant in (*PLANTED, *every)}) == len(PLANTED) + len(every)
    for name in (*stages(), "seed"):
        assert sum(name in mutant.names for mutant in every) >= 4, name


def test_what_a_mutant_names_is_found_as_a_word_of_its_own() -> None:
    mutant = Mutant("none", (), ("loss",))
    assert mutant.named.search("dimension, loss: with loss = focal")
    assert not mutant.named.search("the losses of lossless_1")


@pytest.mark.prove
def test_every_planted_bug_is_refused_and_named(tmp_path: Path) -> None:
    caught = list(looked_at(PLANTED, tmp_path))
    print(f"planted bugs refused and named: {sum(one.is_named for one in caught)} of {len(caught)}")
    assert [one.mutant.name for one in caught if not one.is_named] == []


@pytest.mark.prove
def test_mechanical_mutants_are_refused_but_for_a_twentieth(tmp_path: Path) -> None:
    caught = list(looked_at(mutants(), tmp_path))
    passed = [one.mutant.name for one in caught if not one.refused]
    print(f"mechanical mutants refused: {len(caught) - len(passed)} of {len(caught)}; passed: {passed}")
    assert len(passed) <= SURVIVING * len(caught), passed


@pytest.mark.prove
def test_the_healthy_instrument_passes_on_twenty_seeds(tmp_path: Path) -> None:
    with closing(Copy(tmp_path)) as copy:
        for seed in range(20):
            assert copy.healthy(seed) == (), seed
