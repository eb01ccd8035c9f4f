"""The workshop: a patch changes a private copy and nothing else, and is tried in a process that can be done without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.benches.child import Child
from actors.benches.limits import MIB, Limits
from actors.errors import CampaignError
from actors.orders import Run, Tried, Try
from actors.repair import patches
from actors.repair.copies import ADOPTED, Copies
from actors.repair.patches import PatchRefused
from actors.repair.workshop import INSTALLED, Proving, Workshop
from events.blobs import Blobs
from events.facts import DiagnosisMade, Execution, PatchAdopted, RemedyApplied, RemedyProposed
from events.folder import Campaign as Folder
from tests import tiny
from tests.actors.company import Straight
from tests.chronicle import SPACE, Chronicle

FIRST = (INSTALLED / "pooling.py").read_text().split("\n")[0]
HEAD = "--- a/kernels/pooling.py\n+++ b/kernels/pooling.py\n@@ -1,1 +1,1 @@\n"
HARMLESS = f'{HEAD}-{FIRST}\n+"""Many steps, one vector."""\n'
FURTHER = f'{HEAD}-"""Many steps, one vector."""\n+"""One vector of many steps."""\n'
HARMFUL = (
    "--- a/kernels/pooling.py\n+++ b/kernels/pooling.py\n@@ -31,1 +31,1 @@\n"
    "-    mean = mask.to(x.dtype) / mask.sum(-1, keepdim=True)\n+    mean = mask.to(x.dtype) / nowhere\n"
)


def trial(diff: str, **changes: Any) -> Try:
    point: dict[str, Any] = {"backbone": "motion", "length": 8, "batch": 16, "epochs": 5}
    run = Run("e-1", 1, 0, Chronicle(space=SPACE).configuration(**point), 7)
    order = Try("r-1", patches.digest(diff, None), None, diff, run, Execution(timeout=60.0), "cpu", checked=True)
    return msgspec.structs.replace(order, **changes)


def test_a_copy_is_the_installed_room_with_the_patch_and_the_installed_room_stays(tmp_path: Path) -> None:
    workshop, before = Workshop(tmp_path / "patches"), (INSTALLED / "pooling.py").read_bytes()
    name = patches.digest(HARMLESS, None)
    place = workshop.make(name, HARMLESS, None)
    assert place == tmp_path / "patches" / name
    changed = {
        path.relative_to(INSTALLED).as_posix()
        for path in INSTALLED.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.read_bytes() != (place / "kernels" / path.relative_to(INSTALLED)).read_bytes()
    }
    assert changed == {"pooling.py"}
    assert (place / "kernels" / "pooling.py").read_text().startswith('"""Many steps, one vector."""\n')
    assert (place / "patch.diff").read_text() == HARMLESS
    assert (INSTALLED / "pooling.py").read_bytes() == before
    assert workshop.read(name)("pooling.py") != workshop.read(None)("pooling.py")


def test_a_copy_that_was_tampered_with_is_made_anew_and_one_that_was_not_is_left(tmp_path: Path) -> None:
    workshop, name = Workshop(tmp_path), patches.digest(HARMLESS, None)
    pooling = workshop.make(name, HARMLESS, None) / "kernels" / "pooling.py"
    made = pooling.stat().st_ino
    workshop.make(name, HARMLESS, None)
    assert pooling.stat().st_ino == made
    good = pooling.read_text()
    pooling.write_text(good + "\nx = 1\n")
    (pooling.parent / "another.py").write_text("x = 1\n")
    workshop.make(name, HARMLESS, None)
    assert pooling.read_text() == good
    assert not (pooling.parent / "another.py").exists()


def test_a_patch_is_made_upon_another_s_copy(tmp_path: Path) -> None:
    workshop, first = Workshop(tmp_path), patches.digest(HARMLESS, None)
    with pytest.raises(PatchRefused, match=r"are not in kernels/pooling\.py"):
        workshop.make(patches.digest(FURTHER, None), FURTHER, None)
    workshop.make(first, HARMLESS, None)
    place = workshop.make(patches.digest(FURTHER, first), FURTHER, first)
    assert (place / "kernels" / "pooling.py").read_text().startswith('"""One vector of many steps."""\n')
    with pytest.raises(PatchRefused, match="not the one that was recorded"):
        workshop.make(first, FURTHER, None)


def test_a_process_is_held_to_its_limits_before_it_runs_anything_of_a_copy() -> None:
    ask = (
        "import sys; from actors.benches.limits import impose; impose(sys.argv[1:])\n"
        "import resource as r; print([r.getrlimit(k)[0] for k in "
        "(r.RLIMIT_DATA, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE)])\n"
    )
    limits = Limits(memory=512 * MIB, cpu=30, file=MIB, files=64)
    done = subprocess.run([sys.executable, "-c", ask, *limits.arguments()], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([512 * MIB, 30, MIB, 64])


@pytest.fixture
def folder(world: Folder, tmp_path: Path) -> Folder:
    tiny.settle_in(world, tmp_path / "campaigns")
    return Folder(tmp_path / "campaigns" / "tiny")


def test_a_run_that_breaks_in_its_trial_refuses_the_patch_and_one_that_ends_lets_it_hold(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One trial of each; while it trains, what the kernel says of its process is read."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "planted-key-0123456789")
    seen: list[tuple[str, bytes]] = []
    children: list[Child] = []

    def bench(place: Path, limits: Limits, device: str) -> Child:
        def hear(pulse: Any) -> None:
            process = Path(f"/proc/{children[-1].pid}")
            seen.append(((process / "limits").read_text(), (process / "environ").read_bytes()))

        children.append(Child(tiny.setup(folder), folder.path / "trial.err", hear, place=lambda: (place, limits)))
        return children[-1]

    proving = Proving(Workshop(folder.path / "patches"), bench)
    held = proving.perform(trial(HARMLESS))
    assert isinstance(held, Tried)
    assert (held.problem, held.verified) == (None, None)
    assert held.validation is not None
    assert held.instrument is not None
    limits, environment = seen[0]
    assert next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3:5] == ["512"] * 2
    assert next(line for line in limits.splitlines() if line.startswith("Max data size")).split()[3] == str(8192 * MIB)
    assert b"planted-key" not in environment
    assert b"PYTHONPATH=" + str(folder.path / "patches").encode() in environment
    broken = proving.perform(trial(HARMFUL))
    assert "the run still does not end with a result: " in str(broken.problem)
    assert "name 'nowhere' is not defined" in str(broken.problem)
    assert broken.instrument not in (None, held.instrument)
    assert not any(child.alive for child in children)
    proving.close()
    assert "called off" in str(proving.perform(trial(HARMLESS)).problem)


def test_a_patch_that_cannot_be_made_starts_no_process(tmp_path: Path) -> None:
    def bench(place: Path, limits: Limits, device: str) -> Child:
        raise AssertionError("a process was started")

    proving = Proving(Workshop(tmp_path), bench)
    sealed = HARMLESS.replace("pooling.py", "splits.py")
    tried = proving.perform(trial(sealed, patch=patches.digest(sealed, None)))
    assert "is sealed" in str(tried.problem)
    assert tried.instrument is None


def adopting(tale: Chronicle, blobs: Blobs, *diffs: str) -> list[str]:
    """Tell of patches that held, each made upon the one before, all adopted; return their names."""
    names: list[str] = []
    experiment = tale.queues(tale.proposes("a"))
    for number, diff in enumerate(diffs):
        base = names[-1] if names else None
        names.append(patches.digest(diff, base))
        repair = f"r-{number + 1}"
        tale.says(
            "fixer", "repair", repair,
            DiagnosisMade(repair=repair, experiment=experiment, attempt=1, kind="crashed", diagnosis="", site="s"),
            RemedyProposed(
                repair=repair, experiment=experiment, remedy="patch", patch=names[-1], base=base, diff=blobs.keep(diff)
            ),
            RemedyApplied(repair=repair, experiment=experiment, instrument=f"patched-{number}"),
        )  # fmt: skip
        tale.says("person-x", "campaign", "patch", PatchAdopted(patch=names[-1], instrument=f"patched-{number}"))
    return names


def test_an_adopted_copy_that_is_gone_is_made_again_from_the_log_with_those_below_it(
    tale: Chronicle, blobs: Blobs, tmp_path: Path
) -> None:
    copies = Copies(Workshop(tmp_path / "patches"), blobs, Straight(tale.log))  # type: ignore[arg-type] # a feed's one verb
    assert copies.current() == (None, None)
    first, second = adopting(tale, blobs, HARMLESS, FURTHER)
    place, limits = copies.current()
    assert (place, limits) == (tmp_path / "patches" / second, ADOPTED)
    assert {path.name for path in (tmp_path / "patches").iterdir()} == {first, second}
    assert copies.of(second)[0] == place


def test_an_adopted_patch_that_fits_nothing_that_is_installed_is_one_sentence(
    tale: Chronicle, blobs: Blobs, tmp_path: Path
) -> None:
    adopting(tale, blobs, FURTHER)
    copies = Copies(Workshop(tmp_path / "patches"), blobs, Straight(tale.log))  # type: ignore[arg-type] # a feed's one verb
    with pytest.raises(CampaignError, match="which is adopted, cannot be made again: these lines are not in"):
        copies.current()
