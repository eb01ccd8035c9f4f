"""The bench with real clips, features and networks: it trains, and whatever ends it is a fact about a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from actors.benches.child import Child, TimedOut
from actors.campaign import parse
from actors.errors import BenchBroken
from actors.feed import Feed
from actors.hands import BenchHands
from actors.orders import Breakdown, Described, Epoch, Extract, Extracted, Progress, Refused, Run, Score, Train, Trained
from actors.pen import wall_clock
from actors.running.crew import Crew
from actors.shell import hears_nothing
from actors.supervisor import Supervisor, stop_everybody
from events.blobs import Blobs
from events.facts import (
    Abandoned,
    CampaignOpened,
    Completed,
    Execution,
    Fact,
    Failed,
    FeaturesExtracted,
    IdeaProposed,
    InstrumentVerified,
    RemedyProposed,
    Requeued,
    Started,
)
from events.folder import Campaign as Folder
from events.space import Choice, Configuration, Interval, Space
from tests import tiny
from tests.actors.waiting import eventually
from tests.chronicle import Chronicle

SECRET = "sk-planted-0123456789"
DRAWN = {"learning_rate": 3e-3, "dropout": 0.2, "mixup": 0.4, "noise": 0.05, "oversampling": 2.0}


def configuration(**changes: Any) -> Configuration:
    """A short run; a change may leave the space."""
    short = Chronicle().configuration(backbone="motion", encoder="zipformer", batch=32, length=8, epochs=5)
    return short | changes


def train(experiment: str = "e-1", *, timeout: float = 60.0, micro_batches: int = 1, **changes: Any) -> Train:
    execution = Execution(timeout=timeout, micro_batches=micro_batches)
    run = Run(experiment, 1, 0, configuration(**changes), 7)
    return Train(id=f"p-{experiment}-{micro_batches}", runs=(run,), execution=execution)


def of(result: Any) -> Any:
    """The one end of a pack of one run."""
    assert isinstance(result, Trained), result
    return result.ends[0]


@pytest.fixture(scope="module")
def folder(world: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A campaign's folder with clips and features that these tests may spoil."""
    home = tmp_path_factory.mktemp("bench") / "campaigns"
    tiny.settle_in(world, home)
    return Folder(home / "tiny")


@pytest.fixture(scope="module")
def heard() -> list[Epoch | Progress]:
    return []


@pytest.fixture(scope="module")
def child(folder: Folder, heard: list[Epoch | Progress]) -> Iterator[Child]:
    """One bench for all tests that do not mind; whoever kills it gives the next a fresh process."""
    os.environ["ANTHROPIC_API_KEY"] = SECRET
    child = Child(tiny.setup(folder), folder.path / "logs" / "bench.err", heard.append)
    yield child
    child.close()
    del os.environ["ANTHROPIC_API_KEY"]


@pytest.fixture(scope="module")
def described(child: Child) -> Described:
    answer = child.describe()
    assert isinstance(answer, Described), answer
    return answer


def test_a_bench_says_under_which_instrument_and_platform_it_trains(described: Described) -> None:
    assert len(described.instrument) >= 16
    assert described.lanes == 1
    assert described.platform["device"].startswith("cpu")


def test_a_run_is_trained_reported_epoch_by_epoch_and_its_weights_are_kept(
    child: Child, folder: Folder, heard: list[Epoch | Progress]
) -> None:
    heard.clear()
    score = of(child.ask(train("e-first"), 60.0))
    assert isinstance(score, Score)
    epochs = [pulse for pulse in heard if isinstance(pulse, Epoch)]
    assert [(pulse.experiment, pulse.epoch, pulse.epochs) for pulse in epochs] == [
        ("e-first", n, 5) for n in range(1, 6)
    ]
    assert score.curve == tuple(pulse.validation for pulse in epochs)
    assert score.validation == max(score.curve) == score.curve[score.epoch - 1]
    assert score.gpu_seconds > 0
    assert score.checkpoint is not None
    assert (folder.checkpoints / f"{score.checkpoint}.safetensors").stat().st_size > 1000


def test_weights_of_a_run_that_is_no_champion_are_not_kept(child: Child) -> None:
    order = msgspec.structs.replace(train(), keep_from=1.1)
    assert of(child.ask(order, 60.0)).checkpoint is None


def test_the_same_run_twice_has_the_same_result(child: Child) -> None:
    one, other = (of(child.ask(train(**DRAWN), 60.0)) for _ in range(2))
    assert (one.validation, one.test, one.loss, one.curve) == (other.validation, other.test, other.loss, other.curve)


@pytest.mark.parametrize("micro_batches", [2, 4])
def test_a_batch_trained_in_slices_gives_the_same_result_within_rounding(child: Child, micro_batches: int) -> None:
    """Rounding differs with the order of sums and grows with every step; the tolerance is that of five epochs."""
    whole = of(child.ask(train(**DRAWN), 60.0))
    sliced = of(child.ask(train(micro_batches=micro_batches, **DRAWN), 60.0))
    assert sliced.loss == pytest.approx(whole.loss, rel=1e-3, abs=1e-4)
    assert sliced.curve[0] == pytest.approx(whole.curve[0], abs=0.05)


def test_no_key_of_ours_is_visible_to_the_bench(child: Child, described: Described) -> None:
    """What the kernel says the process was started with, and what it may use of our environment."""
    assert os.environ["ANTHROPIC_API_KEY"] == SECRET
    environment = Path(f"/proc/{child.pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert SECRET.encode() not in environment
    assert b"KEY" not in environment


def test_a_run_that_takes_too_long_is_killed_and_failed_by_its_time_out(child: Child, described: Described) -> None:
    before = child.pid
    end = of(BenchHands(child).perform(train(timeout=0.2, epochs=10_000)))
    assert isinstance(end, Breakdown)
    assert (end.kind, end.trace) == ("timeout", "killed after 0.2 s")
    assert gone(before)


def test_after_a_time_out_the_next_run_gets_a_new_process(child: Child) -> None:
    with pytest.raises(TimedOut):
        child.ask(train(epochs=10_000), 0.2)
    assert isinstance(of(child.ask(train(), 60.0)), Score)


def test_a_bench_that_is_killed_has_crashed_with_its_status_and_last_words(child: Child, described: Described) -> None:
    """Killed by nobody it knows, as the kernel does when memory is short."""
    assert child.ask(train(), 60.0)
    child._hear = kill_at_the_first_epoch(child)
    try:
        end = of(BenchHands(child).perform(train(epochs=10_000)))
    finally:
        child._hear = lambda pulse: None
    assert isinstance(end, Breakdown)
    assert end.kind == "crashed"
    assert "status -9" in end.trace


def kill_at_the_first_epoch(child: Child) -> Callable[[Any], None]:
    def heard(pulse: Any) -> None:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)

    return heard


def test_a_bench_that_was_given_back_starts_no_other(folder: Folder) -> None:
    child = Child(tiny.setup(folder), folder.path / "logs" / "closed.err", lambda pulse: None)
    child.close()
    with pytest.raises(BenchBroken, match="given back"):
        child.ask(train(), 60.0)


def test_a_bench_ends_when_its_parent_closes_the_pipe(folder: Folder) -> None:
    child = Child(tiny.setup(folder), folder.path / "logs" / "orphan.err", lambda pulse: None)
    assert isinstance(child.describe(), Described)
    pid, process = child.pid, child._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    eventually(lambda: gone(pid))


def test_an_order_that_cannot_be_carried_out_is_refused_and_the_bench_lives_on(child: Child) -> None:
    answer = child.ask(Extract(id="x", backbone="no-such"), 60.0)
    assert isinstance(answer, Refused)
    assert "no-such" in answer.reason
    before = child.pid
    assert isinstance(of(child.ask(train(), 60.0)), Score)
    assert child.pid == before


def test_a_configuration_that_cannot_be_wired_is_a_crash_with_its_trace(child: Child) -> None:
    end = of(child.ask(train(batch=0), 60.0))
    assert isinstance(end, Breakdown)
    assert end.kind == "crashed"
    assert "batch" in end.trace


def test_a_damaged_feature_file_is_a_crash_that_names_the_file(world: Folder, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "campaigns" / "tiny")
    tiny.settle_in(world, tmp_path / "campaigns")
    (path,) = folder.features.glob("motion-*.npy")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.unlink()
    path.write_bytes(content)
    child = Child(tiny.setup(folder), tmp_path / "bench.err", lambda pulse: None)
    try:
        end = of(child.ask(train(), 60.0))
    finally:
        child.close()
    assert isinstance(end, Breakdown)
    assert end.kind == "crashed"
    assert "is damaged" in end.trace


def gone(pid: int | None) -> bool:
    """Whether a process has ended; one that waits for its parent to notice has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Troupe:
    """Scheduler, fixer and one worker with a real bench, over a log in memory; a test proposes the ideas."""

    def __init__(self, folder: Folder, space: Space, **told: Any) -> None:
        self.tale = Chronicle("tiny", space=space)
        self.log = self.tale.log
        self.tale.opened()
        self.tale.joins("test")
        campaign = parse(tiny.FILE, file="tiny.toml")
        campaign = msgspec.structs.replace(campaign, **told)
        self.folder = folder
        self.feed = Feed(self.log)
        self.feed.start()
        self.crew = Crew(campaign, folder, SimpleNamespace(of=lambda _: self.log), self.feed, pulse=self._pulse)
        self.on_epoch: Callable[[], None] = lambda: None
        self.gave_up: list[Exception] = []
        makes = {
            name: make for name, make in self.crew.speakers(hears_nothing).items() if name in ("scheduler", "fixer")
        }
        self.child = self.crew.child("worker-cpu0-a", "cpu")
        ready = self.child.describe()
        assert isinstance(ready, Described), ready
        makes["worker-cpu0-a"] = self.crew.worker("worker-cpu0-a", "cpu", self.child, ready)
        blobs = Blobs(folder.blobs)
        Supervisor.start(makes, {}, self.log, self.feed, clock=wall_clock, blobs=blobs, give_up=self.gave_up.append)

    def proposes(self, name: str, **changes: Any) -> None:
        idea = IdeaProposed(
            idea=name, agent="test", configuration=configuration(**changes), rationale="", origin="agent"
        )
        self.tale.says("agent-test", "cycle", f"c-{name}", idea)

    def facts(self, kind: type[Fact]) -> list[Any]:
        return [fact for recorded in self.log.read() for fact in recorded.facts if isinstance(fact, kind)]

    def of(self, kind: type[Fact], experiment: str) -> list[Any]:
        return [fact for fact in self.facts(kind) if fact.experiment == experiment]

    def waits(self, kind: type[Fact], experiment: str, count: int = 1) -> list[Any]:
        """Wait until so many facts of a kind were said of an experiment."""

        def found() -> list[Any]:
            assert not self.gave_up, self.gave_up
            said = self.of(kind, experiment)
            given_up = [] if kind is Abandoned else self.of(Abandoned, experiment)
            assert not given_up, (given_up, self.of(Failed, experiment))
            return said if len(said) >= count else []

        return eventually(found, within=90.0)

    def closes(self) -> None:
        stop_everybody(20)
        self.crew.close()
        self.feed.stop()

    def _pulse(self, pulse: Any) -> None:
        self.on_epoch()


def hot_space() -> Space:
    """The shipped space with a learning rate that nothing survives at its top."""
    space = Chronicle().space
    dimensions = tuple(
        msgspec.structs.replace(d, high=1e12) if isinstance(d, Interval) and d.name == "learning_rate" else d
        for d in space.dimensions
    )
    return Space(name="hot", dimensions=dimensions)


def brief_space() -> Space:
    """The shipped space, with runs of two epochs."""
    space = Chronicle().space
    dimensions = tuple(
        msgspec.structs.replace(d, values=(2,)) if isinstance(d, Choice) and d.name == "epochs" else d
        for d in space.dimensions
    )
    return Space(name="brief", dimensions=dimensions)


@pytest.fixture(scope="module")
def troupe(folder: Folder, child: Child) -> Iterator[Troupe]:
    troupe = Troupe(folder, hot_space())
    yield troupe
    troupe.closes()


def test_a_killed_bench_costs_one_attempt_and_the_run_completes(troupe: Troupe) -> None:
    def kill() -> None:
        troupe.on_epoch = lambda: None
        os.kill(troupe.child.pid or 0, signal.SIGKILL)

    troupe.on_epoch = kill
    troupe.proposes("i-killed")
    (completed,) = troupe.waits(Completed, "e-1")
    (failed,) = troupe.of(Failed, "e-1")
    assert (failed.kind, failed.attempt, completed.attempt) == ("crashed", 1, 2)
    assert [fact.remedy for fact in troupe.of(RemedyProposed, "e-1")] == ["retry"]
    first, second = troupe.of(Started, "e-1")
    assert first.seed == second.seed


def test_a_run_that_really_diverges_is_replaced_by_a_cooler_child_of_the_fixers(troupe: Troupe) -> None:
    troupe.proposes("i-hot", learning_rate=1e12, pooling="max")
    (abandoned,) = troupe.waits(Abandoned, "e-2")
    (failed,) = troupe.of(Failed, "e-2")
    assert failed.kind == "diverged"
    child = next(fact for fact in troupe.facts(IdeaProposed) if fact.origin == "fixer")
    assert (child.agent, child.parents) == ("fixer", ("i-hot",))
    assert child.configuration == configuration(pooling="max") | {"learning_rate": pytest.approx(3e11)}
    assert abandoned.reason == f"diverged: replaced by {child.idea}"


def test_deleted_features_are_extracted_again_and_the_run_completes(world: Folder, tmp_path: Path) -> None:
    tiny.settle_in(world, tmp_path / "campaigns")
    folder = Folder(tmp_path / "campaigns" / "tiny")
    (held,) = folder.features.glob("motion-*.npy")
    before = held.read_bytes()
    troupe = Troupe(folder, Chronicle().space)
    try:
        eventually(lambda: troupe.facts(InstrumentVerified), within=90.0)
        held.unlink()
        troupe.proposes("i-gone")
        (completed,) = troupe.waits(Completed, "e-1")
        (failed,) = troupe.of(Failed, "e-1")
        assert (failed.kind, completed.attempt) == ("missing_features", 2)
        (extracted,) = troupe.facts(FeaturesExtracted)
        assert not extracted.reused
        assert held.read_bytes() == before
    finally:
        troupe.closes()


def test_a_run_that_is_out_of_memory_completes_in_slices_with_its_configuration_unchanged(
    world: Folder, tmp_path: Path
) -> None:
    """The limit is found first: what suffices for eighths differs between machines, whole batches need much more."""
    tiny.settle_in(world, tmp_path / "campaigns")
    folder = Folder(tmp_path / "campaigns" / "tiny")
    limit = enough_for_eighths(folder)
    parsed = parse(tiny.FILE, file="tiny.toml")
    troupe = Troupe(
        folder,
        brief_space(),
        workers=msgspec.structs.replace(parsed.workers, memory=limit),
        network=msgspec.structs.replace(parsed.network, width=256, layers=2),
        budget=msgspec.structs.replace(parsed.budget, attempts=5),
    )
    try:
        troupe.proposes("i-large", batch=128, length=32, epochs=2)
        (completed,) = troupe.waits(Completed, "e-1")
        failures = troupe.of(Failed, "e-1")
        assert {failed.kind for failed in failures} == {"out_of_memory"}
        slices = [fact.execution.micro_batches for fact in troupe.of(Requeued, "e-1")]
        assert slices == [2, 4, 8][: len(failures)]
        assert completed.attempt == len(failures) + 1
        assert [idea.idea for idea in troupe.facts(IdeaProposed)] == ["i-large"]
        opened = troupe.facts(CampaignOpened)
        assert len(opened) == 1
    finally:
        troupe.closes()


def enough_for_eighths(folder: Folder) -> int:
    """Mebibytes with which a bench trains that run in eight slices a batch, with a little to spare."""
    idle = idle_mebibytes(folder)
    for more in range(120, 800, 40):
        setup = tiny.setup(folder, width=256, layers=2, memory=(idle + more) << 20)
        hands = BenchHands(Child(setup, folder.path / "enough.err", lambda pulse: None))
        try:
            end = of(hands.perform(train("e-large", micro_batches=8, batch=128, length=32, epochs=2)))
        finally:
            hands.close()
        if isinstance(end, Score):
            return idle + more + 20
    raise AssertionError("no limit is enough")


def idle_mebibytes(folder: Folder) -> int:
    """Data that a bench holds when it has done nothing yet, as `workers.memory` counts it."""
    child = Child(tiny.setup(folder), folder.path / "idle.err", lambda pulse: None)
    try:
        assert isinstance(child.describe(), Described)
        status = Path(f"/proc/{child.pid}/status").read_text()
    finally:
        child.close()
    return int(status.partition("VmData:")[2].split()[0]) // 1024


def test_features_are_extracted_and_then_reused(child: Child) -> None:
    answer = child.ask(Extract(id="x", backbone="motion"), 120.0)
    assert isinstance(answer, Extracted)
    assert answer.reused
    assert answer.clips == tiny.CLIPS
