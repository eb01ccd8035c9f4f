"""A run made again: equal bit for bit on its own platform, close elsewhere, refused where its instrument is gone."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from actors.benches.child import Child
from actors.benches.scrutiny import Repeat, Repeated
from actors.doors import rerun
from actors.errors import CampaignError
from actors.orders import Described, Refused, Run, Score, Train, Trained
from actors.repair import patches
from actors.repair.workshop import INSTALLED
from actors.reruns import amends, rebuilding, rerunning
from actors.reruns.page import page, spark
from actors.running import sessions
from actors.running.opening import reuse
from events import campaigns, declarations, facts
from events.archives import archive, importing
from events.envelope import Position, Text
from events.folder import Campaign as Folder
from events.writable import writable
from kernels.instrument import Instrument as Seen
from replay.audit import audit
from replay.defects import known_now
from replay.entries import Attempt, Outcome
from replay.instruments import Instrument
from replay.repairs import Patch, Repair, Repairs
from tests import tiny
from tests.chronicle import Chronicle

CAMPAIGN = rebuilding.parse(tiny.FILE, file="tiny.toml")
SEED = 7
OLD = "0" * 64
CHANGED = "source/pooling.py"


class Made(NamedTuple):
    """One real run: what it was of, and its result."""

    configuration: dict[str, str | int | float]
    seen: Seen
    described: Described
    score: Score


class Told(Chronicle):
    """A chronicle of real scores."""

    def trained(self, made: Made, experiment: str, *, instrument: str, validation: float) -> None:
        pack = self.assigns(experiment)
        lease = self._leases[experiment]
        started = facts.Started(
            experiment=experiment,
            attempt=1,
            pack=pack,
            lane=0,
            worker=lease.worker,
            seed=SEED,
            instrument=instrument,
            platform=made.described.platform,
        )
        self.says(lease.worker, "pack", pack, started, cause=experiment)
        score = made.score
        curves = facts.Curves(loss=score.loss, validation=score.curve, learning_rate=score.learning_rate)
        kept = {name: getattr(score, name) for name in ("test", "noise", "epoch", "gpu_seconds", "peak_memory")}
        completed = facts.Completed(
            experiment=experiment, attempt=1, validation=validation, curves=curves, checkpoint=score.checkpoint, **kept
        )
        self.says(lease.worker, "pack", pack, completed, cause=experiment)

    def verified(self, instrument: str, parts: dict[str, str], era: int) -> None:
        verdict = facts.InstrumentVerified(instrument=instrument, parts=parts, canaries=(), seconds=1.0)
        self.says("worker-cpu0-a", "worker", "worker-cpu0-a", verdict)
        self.says("scheduler", "campaign", "era", facts.EraOpened(era=era, instrument=instrument, reason="verified"))


@pytest.fixture(scope="module")
def made(world: Folder, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A run of a fraction of a second."""
    place = tmp_path_factory.mktemp("made")
    space = CAMPAIGN.searched()
    chronicle = Chronicle("tiny", space=space)
    configuration = chronicle.configuration(length=8, batch=32)
    child = Child(tiny.setup(world, checkpoints=str(place)), place / "bench.err", lambda pulse: None)
    try:
        described = child.describe()
        order = Train(id="t", runs=(Run("e-1", 1, 0, configuration, SEED),), execution=facts.Execution(), keep_from=0.0)
        trained = child.ask(order, 120.0)
    finally:
        child.close()
    assert isinstance(described, Described)
    assert isinstance(trained, Trained)
    score = trained.ends[0]
    assert isinstance(score, Score)
    return Made(configuration, rebuilding.installed(CAMPAIGN, Folder(world.path)), described, score)


@pytest.fixture
def home(world: Folder, made: Made, tmp_path: Path) -> Path:
    """A campaign with a result of an instrument that is gone (e-1), and two of what is installed: one that is true
    (e-2) and one that nobody will find again (e-3).
    """
    c = Told("tiny", space=CAMPAIGN.searched())
    file = Text(head=tiny.FILE, length=len(tiny.FILE))
    c.says(
        "person-test", "campaign", "opening", facts.CampaignOpened(campaign="tiny", file=file, space=c.space, seed=0)
    )
    c.worker_joins()
    c.verified(OLD, dict(made.seen.parts) | {CHANGED: "f" * 64, "source/gone.py": "e" * 64}, 1)
    c.trained(made, c.queues(c.proposes("tpe", **made.configuration)), instrument=OLD, validation=0.999)
    c.verified(made.seen.digest, dict(made.seen.parts), 2)
    experiment = c.queues(c.proposes("tpe", **made.configuration))
    c.trained(made, experiment, instrument=made.seen.digest, validation=made.score.validation)
    experiment = c.queues(c.proposes("tpe", **made.configuration))
    c.trained(made, experiment, instrument=made.seen.digest, validation=made.score.validation / 2)
    archive.export(c.log, tmp_path / "told.myriad")
    home = tmp_path / "campaigns"
    home.mkdir()
    reuse(world, importing.import_campaign(tmp_path / "told.myriad", home))
    return home


def _last(home: Path) -> facts.Fact:
    log = campaigns.open("tiny", home)
    try:
        return next(iter(log.read(log.last() - 1))).facts[0]
    finally:
        log.close()


def test_a_run_made_again_is_its_record_bit_for_bit_weights_included(
    home: Path, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rerun("tiny", "e-2", home=home) == 0
    printed = capsys.readouterr().out
    assert "e-2 is equal to its record, bit for bit" in printed
    assert f"recorded   {spark(made.score.curve)}" in printed
    assert f"again      {spark(made.score.curve)}" in printed
    fact = _last(home)
    assert isinstance(fact, facts.RunCompared)
    assert (fact.verdict, fact.validation, fact.curve, fact.tolerance) == (
        "equal",
        made.score.validation,
        made.score.curve,
        0,
    )
    log = campaigns.open("tiny", home)
    rulings = {ruling.law: ruling for ruling in audit(log).rulings}
    log.close()
    assert (rulings["what is declared names what there is"].held, rulings["eras tile the log"].broken) == (1, 0)


def test_a_record_that_is_not_found_again_is_a_defect_at_once_and_is_declared_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rerun("tiny", "e-3", home=home) == 1
    said = capsys.readouterr().out
    assert "e-3 is not its record, though nothing should differ (validation)" in said.replace("\n           ", " ")
    assert "a defect, recorded at position" in said
    found = _last(home)
    assert isinstance(found, facts.DefectFound)
    assert (found.component, found.where, found.by) == ("reproduction", "experiment == e-3", "a rerun")
    assert rerunning.recorded("tiny", home).ledger.defects.touched == {"e-3": ("d-1",)}
    assert rerun("tiny", "e-3", home=home) == 1
    assert isinstance(_last(home), facts.RunCompared)


def test_what_the_budget_has_no_device_time_for_is_offered_and_not_asked_about(home: Path, made: Made) -> None:
    with writable("tiny", home) as log:
        declarations.declare(log, declarations.defect(component="pooling", where="era == 1"))
        declarations.declare(log, declarations.fixed("d-1", instrument=made.seen.digest))
    folder = Folder(home / "tiny")
    text = folder.file.read_text()
    folder.file.write_text(text.replace("timeout = 60", "timeout = 0.001\ngpu_hours = 1e-6"))
    offered = amends.offer(folder)
    assert offered is not None
    assert not offered.ready
    assert offered.sentence.endswith(
        "the budget has no device time left for it: myriad rerun tiny --tainted --gpu-hours N"
    )


@pytest.mark.parametrize(
    ("at_terminal", "answer", "agrees"), [(True, "y", True), (True, "", False), (False, "y", False)]
)
def test_a_person_at_a_terminal_is_asked_and_nobody_else_agrees(
    monkeypatch: pytest.MonkeyPatch, at_terminal: bool, answer: str, agrees: bool
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: at_terminal, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: at_terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answer)
    assert sessions._agrees("again? ") is agrees
    assert asked == ["again? "] * at_terminal


def test_an_instrument_that_is_gone_is_told_part_by_part(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rerun("tiny", "e-1", home=home) == 2
    said = capsys.readouterr().err
    assert f"{CHANGED} was ffffffffffff, is " in said
    assert "source/gone.py was eeeeeeeeeeee, is missing" in said


def test_what_a_defect_touched_is_made_again_under_the_fix_and_counts_from_then_on(
    home: Path, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    with writable("tiny", home) as log:
        declarations.declare(log, declarations.defect(component="pooling", where="era == 1"))
    offered = amends.offer(Folder(home / "tiny"))
    assert offered is not None
    assert not offered.ready
    assert offered.sentence == (
        "1 result that would lead is touched by a defect, e-1 the best; d-1 is not fixed: mend it, then "
        "myriad declare tiny fixed d-1 --instrument DIGEST"
    )
    with pytest.raises(CampaignError, match="d-1 is not fixed"):
        rerun("tiny", tainted=True, home=home)
    with writable("tiny", home) as log:
        declarations.declare(log, declarations.fixed("d-1", instrument=made.seen.digest))
    offered = amends.offer(Folder(home / "tiny"))
    assert offered is not None
    assert offered.ready
    assert offered.sentence.startswith(
        "1 result that would lead is touched by a defect, e-1 the best: myriad rerun tiny --tainted makes e-1 again, "
    )
    assert rerun("tiny", tainted=True, home=home) == 0
    assert "1 of 1: e-1, believed 0.9990" in capsys.readouterr().out
    known = rerunning.recorded("tiny", home)
    assert known_now(known.ledger, "e-1") == made.score.validation
    assert amends.worth(known) == []
    assert amends.offer(known.folder) is None
    assert amends.offer(Folder(home / "nowhere")) is None


def test_what_cannot_be_compared_is_refused_in_a_sentence(home: Path) -> None:
    known = rerunning.recorded("tiny", home)
    with pytest.raises(CampaignError, match="e-9 is not on the log of tiny"):
        rerunning.rerun(known, "e-9", lambda pulse: None)
    with pytest.raises(CampaignError, match="name one experiment, or say --tainted"):
        rerun("tiny", home=home)
    with pytest.raises(CampaignError, match="cannot be read"):
        rebuilding.campaign_of(Folder(home / "nowhere"))


def test_other_seeds_make_a_champion_and_are_run_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rerun("tiny", "e-2", seeds=2, home=home) == 0
    fact = _last(home)
    assert isinstance(fact, facts.SeedsRepeated)
    assert len({*fact.seeds, SEED}) == 3
    assert "e-2 is champion: " in capsys.readouterr().out
    assert rerun("tiny", "e-2", seeds=2, home=home) == 0
    assert "2 repeats of e-2 are on the log already" in capsys.readouterr().out
    with pytest.raises(CampaignError, match="two seeds or more"):
        rerun("tiny", "e-2", seeds=1, home=home)


def test_a_bench_runs_a_configuration_under_other_seeds_and_under_its_own_instrument_alone(
    world: Folder, made: Made, tmp_path: Path
) -> None:
    child = Child(tiny.setup(world, checkpoints=str(tmp_path / "kept")), tmp_path / "bench.err", lambda pulse: None)
    order = Repeat("r", "e-1", made.configuration, (SEED, 8, 9), made.seen.digest, 60.0)
    try:
        found = child.ask(order, 120.0)
        refused = child.ask(msgspec.structs.replace(order, instrument=OLD), 120.0)
        broken = child.ask(msgspec.structs.replace(order, configuration=made.configuration | {"backbone": "x"}), 120.0)
    finally:
        child.close()
    assert isinstance(found, Repeated)
    assert (found.instrument, found.platform) == (made.seen.digest, made.described.platform)
    assert [run.seed for run in found.runs] == [SEED, 8, 9]
    assert found.runs[0].validation == made.score.validation
    assert len({run.validation for run in found.runs}) > 1
    assert not (tmp_path / "kept").exists()
    assert isinstance(refused, Refused)
    assert refused.reason == f"e-1 ran under instrument {OLD[:12]}, here is {made.seen.digest[:12]}"
    assert isinstance(broken, Repeated)
    assert [run.validation for run in broken.runs] == [None] * 3
    assert "missing_features" in str(broken.runs[0].problem)


def _record(made: Made, **changes: object) -> tuple[Attempt, Outcome]:
    score = made.score
    attempt = Attempt(
        attempt=1,
        pack="p",
        lane=0,
        worker="w",
        seed=SEED,
        execution=facts.Execution(),
        assigned_at=0,
        instrument=made.seen.digest,
        platform=made.described.platform,
    )
    outcome = Outcome(
        validation=score.validation,
        test=score.test,
        noise=0.03,
        epoch=score.epoch,
        curves=facts.Curves(loss=score.loss, validation=score.curve, learning_rate=score.learning_rate),
        peak_memory=1,
        checkpoint=score.checkpoint,
    )
    return attempt, msgspec.structs.replace(outcome, **changes)


def test_on_the_same_platform_one_bit_is_a_difference_and_is_named(made: Made) -> None:
    attempt, record = _record(made, noise=made.score.noise, validation=made.score.validation + 2**-52)
    found = rerunning.compared("e-1", attempt, record, again=made.score, described=made.described)
    assert (found.verdict, found.tolerance, found.unequal) == ("different", 0.0, ("validation",))
    assert "though nothing should differ (validation)" in page(found).replace("\n           ", " ")


@pytest.mark.parametrize(("away", "verdict"), [(0.05, "close"), (0.2, "different")])
def test_on_another_platform_a_rerun_is_judged_by_the_recorded_noise(made: Made, away: float, verdict: str) -> None:
    attempt, record = _record(made, validation=made.score.validation - away)
    attempt = msgspec.structs.replace(attempt, platform=dict(made.described.platform) | {"torch": "1.0"})
    found = rerunning.compared("e-1", attempt, record, again=made.score, described=made.described)
    assert (found.verdict, found.tolerance) == (verdict, pytest.approx(0.09))
    assert found.moved[0].startswith("torch was 1.0, is ")


def test_the_copy_of_a_patch_is_made_again_from_the_log(made: Made, tmp_path: Path) -> None:
    source = (INSTALLED / "pooling.py").read_text().splitlines(keepends=True)
    changed = [*source, "\n", "PATCHED = 1\n"]
    diff = "".join(difflib.unified_diff(source, changed, "a/kernels/pooling.py", "b/kernels/pooling.py"))
    name = patches.digest(diff, None)
    repair = Repair(repair="r-1", experiment="e-1", attempt=1, kind="crashed", diagnosis="")
    patch = Patch(
        patch=name,
        repair="r-1",
        site=None,
        base=None,
        diff=Text(head=diff),
        files=("kernels/pooling.py",),
        instrument=OLD,
    )
    wanted = Instrument(instrument=OLD, told=Position(1), at=0)
    repairs = Repairs(repairs={"r-1": repair}, patches={name: patch})
    folder = Folder(tmp_path / "tiny")
    found = rebuilding.rebuilt(CAMPAIGN, folder, wanted, repairs, today=made.seen.parts, digest=made.seen.digest)
    assert found.copy is not None
    assert (found.instrument, found.differing) == (OLD, ())
    assert (found.copy / "kernels" / "pooling.py").read_text().endswith("PATCHED = 1\n")
    repairs.adopted = name
    now = rebuilding.current(folder, repairs, made.seen.digest, digest=made.seen.digest)
    assert (now.copy, now.differing) == (found.copy, (f"instrument {made.seen.digest[:12]} then, {OLD[:12]} now",))
    repairs.adopted = None
    assert rebuilding.current(folder, repairs, OLD, digest=made.seen.digest).copy is None
