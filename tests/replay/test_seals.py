from pathlib import Path

import pytest

from events.archives import archive
from replay.digest import SCHEME, SCHEMES
from replay.seals import EXIT, overall, verified
from tests.replay import tales

WRONG = f"{SCHEME}:{0:064}"


def checked(c, *, until=None):
    return verified(c.log, until=until)[1]


def watched(n=12):
    """A campaign whose analyst measures after every third experiment and seals at the end."""
    c, live = tales.Chronicle(), tales.Measurement()
    c.opened()
    for turn in range(n):
        c.runs(c.queues(c.proposes(tales.AGENTS[turn % 2], batch=(16, 32)[turn % 2])), validation=0.5 + turn / 100)
        if turn % 3 == 2:
            live.advance(c.log.read())
            c.measures(live.digest(), **live.values())
    live.advance(c.log.read())
    c.seals(live.digest())
    return c


def test_what_a_live_analyst_recorded_holds():
    checks = checked(watched())
    assert [check.verdict for check in checks] == ["held"] * 5
    assert [check.kind for check in checks] == ["MetricsMeasured"] * 4 + ["LogSealed"]
    assert overall(checks) == "held"


def test_a_recording_may_come_long_after_what_it_speaks_about():
    c = tales.busy(10)
    early = tales.measured(c)
    through, digest, values = c.log.last(), early.digest(), early.values()
    for _ in range(3):
        c.runs(c.queues(c.proposes("tpe")), validation=0.9)
    c.measures(digest, through=through, **values)
    assert overall(checked(c)) == "held"


def test_a_wrong_digest_is_broken_and_shows_both():
    c = watched()
    c.seals(WRONG)
    bad = checked(c)[-1]
    assert (bad.verdict, bad.recorded) == ("broken", WRONG)
    assert bad.recomputed == tales.measured(c).digest()
    assert overall(checked(c)) == "broken"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_digest_of_every_scheme_that_is_known_is_held_against_its_own(scheme):
    c = watched()
    c.seals(tales.measured(c).digest(scheme))
    c.seals(f"{scheme}:{0:064}")
    good, bad = checked(c)[-2:]
    assert (good.verdict, bad.verdict) == ("held", "broken")
    assert good.recomputed == bad.recomputed == good.recorded


def test_a_wrong_value_is_broken_though_the_digest_holds():
    c = watched()
    measurement = tales.measured(c)
    c.measures(measurement.digest(), **measurement.values() | {"completed": 99, "divergence": 0.5})
    assert checked(c)[-1].differing == ("completed", "divergence")
    assert overall(checked(c)) == "broken"


def test_a_last_bit_of_a_logarithm_is_no_difference():
    c = watched()
    measurement = tales.measured(c)
    values = measurement.values()
    c.measures(measurement.digest(), **values | {"entropy_whole": values["entropy_whole"] * (1 + 1e-15)})
    assert checked(c)[-1].verdict == "held"


def test_a_name_of_another_vocabulary_is_nothing_to_compare():
    c = watched()
    measurement = tales.measured(c)
    c.measures(measurement.digest(), measured_in_another_age=1.0)
    assert checked(c)[-1].verdict == "held"


def test_a_digest_of_another_scheme_is_unknown():
    c = tales.one()
    c.seals("m0:" + "0" * 64)
    assert overall(checked(c)) == "unknown"


def test_a_wrong_value_is_broken_whatever_the_scheme():
    c = watched()
    c.measures("m0:" + "0" * 64, completed=99)
    assert overall(checked(c)) == "broken"


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "golden").glob("*.myriad")), ids=lambda p: p.stem)
def test_what_a_released_archive_measured_is_what_it_still_folds_to(path):
    kept = archive.open_file(path)
    _, checks = verified(kept)
    assert checks
    assert [check.differing for check in checks] == [()] * len(checks)
    assert overall(checks) != "broken"


def test_a_recording_beyond_the_end_is_unknown():
    c = tales.one()
    c.seals(WRONG, through=10_000)
    (check,) = checked(c)
    assert (check.verdict, check.recomputed) == ("unknown", None)


def test_nothing_recorded_is_unknown_never_held():
    assert overall(checked(tales.busy(5))) == "unknown"


def test_a_cut_log_is_checked_as_far_as_it_goes():
    c = watched()
    third = checked(c)[2].sequence
    assert [check.sequence for check in checked(c, until=third)] == [check.sequence for check in checked(c)[:3]]


@pytest.mark.parametrize(("verdict", "code"), [("held", 0), ("broken", 1), ("unknown", 2)])
def test_each_verdict_has_its_exit_code(verdict, code):
    assert EXIT[verdict] == code
