"""The compiled loops are built once, are said to be there or why not, and change only last bits."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from kernels import checkpoints, draws, scoring
from kernels.datasets import Dataset
from kernels.operations import compiled
from kernels.operations.compiled import Built, Missing
from tests.kernels.packs import completed, configured


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """The state is asked once a process; these tests change what it would find."""
    compiled.state.cache_clear()
    yield
    compiled.state.cache_clear()


def test_this_machine_says_what_it_has() -> None:
    found = compiled.state()
    assert compiled.describe() == (f"c {found.digest}" if isinstance(found, Built) else f"none: {found.reason}")


@pytest.mark.usefixtures("asked_anew")
def test_without_a_compiler_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiled.describe() == "none: no C compiler (cc, gcc or clang) on the path"
    assert not compiled.usable(torch.zeros(1))
    with pytest.raises(RuntimeError, match="no compiled loops here: no C compiler"):
        compiled.call("scan", (1,), torch.zeros(1))


@pytest.mark.usefixtures("asked_anew")
def test_a_compiler_that_fails_is_named_with_its_last_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho some noise >&2\necho no such processor >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiled.describe() == f"none: {broken} failed: no such processor"


@pytest.mark.usefixtures("asked_anew")
def test_a_person_can_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYRIAD_COMPILED", "0")
    assert compiled.state() == Missing("MYRIAD_COMPILED is 0")


@pytest.mark.usefixtures("asked_anew")
def test_a_cache_that_cannot_be_written_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not isinstance(compiled.state(), Built):
        assert compiled.describe().startswith("none: ")
        return
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compiled.state.cache_clear()
    assert "Not a directory" in compiled.describe()


@pytest.mark.usefixtures("asked_anew")
def test_a_library_is_built_once_for_a_machine_and_never_left_half_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if not isinstance(compiled.state(), Built):
        assert compiled.describe().startswith("none: ")
        return
    (library,) = (tmp_path / "myriad").iterdir()
    before = library.stat().st_mtime_ns
    compiled.state.cache_clear()
    assert isinstance(compiled.state(), Built)
    assert [path.stat().st_mtime_ns for path in (tmp_path / "myriad").iterdir()] == [before]


@pytest.mark.usefixtures("asked_anew")
def test_runs_with_and_without_the_compiled_loops_agree_but_for_last_bits(
    small: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for encoder in ("bimamba", "xlstm"):
        scores = []
        for switch in ("1", "0"):
            monkeypatch.setenv("MYRIAD_COMPILED", switch)
            compiled.state.cache_clear()
            outcome = completed(small, configured(encoder=encoder, dropout=0.2, epochs=1))
            content = checkpoints.decode(outcome.checkpoint)
            scores.append(scoring.score(content, small.test.values, device="cpu"))
        assert np.linalg.norm(scores[0] - scores[1]) / np.linalg.norm(scores[1]) < 1e-4


def test_dropout_falls_alike_in_either_form() -> None:
    key = draws.keys(torch.tensor([3, 2**62]), torch.tensor(5), 2)
    threshold = torch.tensor([6554, 30000], dtype=torch.int32)
    factor = 1 / (1 - threshold / 65536)
    for count, start in ((1, 2), (77, 13), (1000, 0)):
        found = draws.dice(key, threshold, factor, count, start)
        assert torch.equal(found, draws.reference_dice(key, threshold, factor, count, start))


def test_only_dense_arrays_in_float32_reach_the_loops() -> None:
    assert not compiled.usable(torch.zeros(2).double())
    assert not compiled.usable(torch.zeros(2).bfloat16())
    if isinstance(compiled.state(), Built):
        with pytest.raises(ValueError, match="'scan' takes dense arrays"):
            compiled.call("scan", (1,), torch.zeros(4, 4).T)


def test_the_source_compiles_without_a_warning(tmp_path: Path) -> None:
    if not isinstance(compiled.state(), Built):
        assert compiled.describe().startswith("none: ")
        return
    command = ["cc", "-Wall", "-Wextra", *compiled.FLAGS, "-o", str(tmp_path / "x.so"), str(compiled.SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
