import json
import warnings
from io import BytesIO

import pytest

from events.archives import archive
from replay.doors import replay
from replay.pages.figures import COLOURS, FIGURES, figures, render
from tests.replay import tales
from tests.replay.test_poor_campaigns import POOR

PNG, SVG = b"\x89PNG\r\n", b"<?xml"


@pytest.fixture(autouse=True)
def _every_warning_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def written(figure, form):
    into = BytesIO()
    render(figure, form, into)
    return into.getvalue()


@pytest.fixture(scope="module")
def drawn():
    return figures(tales.measured(tales.busy(80)))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_an_image_in_both_forms(drawn, name):
    assert written(drawn[name], "png").startswith(PNG)
    assert written(drawn[name], "svg").startswith(SVG)


@pytest.mark.parametrize("campaign", sorted(POOR.keys() - {"zero", "perfect"}))  # as constant
def test_a_poor_campaign_is_drawn_without_a_warning(campaign):
    for figure in figures(tales.measured(POOR[campaign]())).values():
        assert written(figure, "svg").startswith(SVG)


def test_a_figure_of_nothing_says_too_few():
    for figure in figures(tales.measured(tales.failed())).values():
        assert {text.get_text() for axes in figure.axes for text in axes.texts} == {"too few observations"}


def test_the_same_log_gives_the_same_bytes():
    one, two = (figures(tales.measured(tales.busy(30)))["figure2-convergence"] for _ in range(2))
    for form in ("png", "svg"):
        assert written(one, form) == written(two, form)


def test_no_two_lines_of_a_figure_look_alike(drawn):
    for figure in drawn.values():
        for axes in figure.axes:
            looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in axes.lines]
            assert len(set(looks)) == len(looks)
            assert {colour for colour, _, _ in looks} <= {*COLOURS}


def test_the_figures_show_what_was_recorded(drawn):
    best = drawn["figure2-convergence"].axes[0].lines[0].get_ydata()
    assert list(best) == sorted(best)
    assert max(best) == tales.measured(tales.busy(80)).values()["best_validation"]
    assert len(drawn["figure3-dynamics"].axes) == 3
    told = [text.get_text() for text in drawn["figure5-architectures"].axes[0].texts]
    assert len(told) == 10
    assert all("n " in text for text in told)


def test_the_door_writes_every_figure_in_both_forms(tmp_path, capsys):
    path, out = tmp_path / "tale.myriad", tmp_path / "deep" / "figures"
    archive.export(tales.busy(12).log, path)
    assert replay(str(path), "figures", "--out", str(out), "--json") == 0
    files = json.loads(capsys.readouterr().out)
    assert sorted(files) == sorted(str(each) for each in out.iterdir())
    assert len(files) == 2 * len(FIGURES)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    path = tmp_path / "tale.myriad"
    archive.export(tales.one().log, path)
    assert replay(str(path), "figures", "--out", str(path)) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(path) in told


def test_eras_are_bands_named_on_every_figure_over_runs_and_one_era_is_none():
    named = {
        n: [
            [text.get_text() for text in axes.texts if text.get_text() in ("era 1", "2")]
            for name, figure in figures(tales.measured(POOR[n]())).items()
            for axes in figure.axes[:1]
            if name != "figure5-architectures"
        ]
        for n in ("constant", "lonely")
    }
    assert named["constant"] == [["era 1", "2"]] * 3
    assert named["lonely"] == [[]] * 3


def test_a_dollar_is_a_dollar_and_the_scale_is_in_numbers(drawn):
    svg = written(drawn["figure2-convergence"], "svg").decode()
    assert "mathdefault" not in svg
    ticks = [tick.get_text() for tick in drawn["figure2-convergence"].axes[0].get_xticklabels()]
    assert {"1", "10"} <= {*ticks}
