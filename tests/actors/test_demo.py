"""What the demo says at its end: in words, and never more than the log shows."""

from __future__ import annotations

from actors.running.demo import closing
from events.facts import ControlMeasured
from replay.measures import Measurement
from replay.report import report
from tests.chronicle import Chronicle


def played(shuffled: float, linear: float, *, digest: str | None = None) -> list[str]:
    """A demo whose champion has 0.8 with a noise of 0.03 on either side."""
    tale = Chronicle()
    tale.opened()
    tale.runs(tale.queues(tale.proposes("a")), validation=0.8)
    tale.closes()
    for kind, value in (("shuffled_labels", shuffled), ("linear", linear)):
        fact = ControlMeasured(control=kind, experiment="e-1", validation=value, noise=0.04)  # type: ignore[arg-type] # both are names of controls
        tale.says("analyst", "analysis", "controls", fact)
    measurement = Measurement()
    measurement.advance(tale.log.read())
    tale.seals(digest or measurement.digest())
    return closing(report(tale.log))


def test_a_champion_that_leads_by_more_than_the_noise_of_both_beats_its_controls_in_words() -> None:
    linear, shuffled, digest = sorted(played(0.5, 0.6), key=lambda line: ("digest" in line, "shuffled" in line))
    assert "e-1 at 0.8000 beats the same model on shuffled labels at 0.5000" in shuffled
    assert "beats a linear model on mean-pooled features at 0.6000 by more than the noise" in linear
    assert "lead 0.2000, noise of both 0.0500" in linear
    assert "is the same as the digest recorded while the campaign ran" in digest


def test_a_lead_within_the_noise_is_said_to_be_none() -> None:
    said = "\n".join(played(0.5, 0.76))
    assert "does NOT beat a linear model" in said
    assert said.count("does NOT beat") == 1


def test_another_digest_than_the_recorded_one_is_said() -> None:
    said = "\n".join(played(0.5, 0.6, digest="m3:" + "0" * 64))
    assert f"is NOT m3:{'0' * 64}, the digest recorded" in said
    assert "record    broken" in said


def test_a_demo_without_controls_or_seal_claims_nothing() -> None:
    tale = Chronicle()
    tale.opened()
    first, second = closing(report(tale.log))
    assert first == "champion  was held against no control"
    assert "the analyst recorded none" in second
