"""The report as files: Markdown and one page of HTML, whole, self-contained, and safe from what a log says."""

import json
import re
from html.parser import HTMLParser

import pytest

from events.archives import archive
from events.space import Choice, Space
from replay.doors import replay
from replay.metrics import METRICS
from replay.pages.document import DRAWN, document
from replay.pages.figures import FIGURES, drawings
from replay.pages.hypertext import hypertext
from replay.pages.markdown import markdown
from replay.report import folded, reported
from replay.statistics.findings import FINDINGS
from replay.statistics.nulls import NULLS
from tests.chronicle import Chronicle
from tests.replay import tales

VOID = {"meta", "br"}
NASTY = ("<script>alert(1)</script>", 'a|b & "c" `d` $\\frac$', "plain")


class Page(HTMLParser):
    """Reads a page as a browser would: elements that close what they opened, texts, ids, and what they point at."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.targets, self.texts, self.tags = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.targets.append(value)
            self.targets += re.findall(r"url\(([^)]*)\)", value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def laid_out(c):
    measurement, checks = folded(c.log)
    return document(reported(measurement, checks), measurement), measurement


def nasty():
    """A campaign over values that are markup, and agents' words that are."""
    space = Space(
        name="x<y",
        dimensions=(
            Choice(name="backbone", values=NASTY, part="architecture", stage="batch"),
            Choice(name="encoder", values=("e&e", "f"), part="architecture", stage="parameters"),
        ),
    )
    c = Chronicle("tale", space=space)
    c.opened()
    for turn in range(40):
        value = NASTY[turn % 3]
        c.runs(c.queues(c.proposes("tpe", backbone=value, encoder=("e&e", "f")[turn % 2])), validation=0.5 + turn / 100)
    return c


@pytest.fixture(scope="module")
def busy():
    return laid_out(tales.busy(80))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What the door writes of the same campaign: Markdown and HTML."""
    folder = tmp_path_factory.mktemp("report")
    archive.export(tales.busy(80).log, folder / "tale.myriad")
    text, page = folder / "r.md", folder / "r.html"
    assert replay(str(folder / "tale.myriad"), "report", "--markdown", str(text), "--html", str(page)) == 0
    return text.read_text(), page.read_text()


def test_every_measure_and_every_figure_is_in_the_document(busy):
    titles = [section.title for section in busy[0].sections]
    assert {*METRICS, *FINDINGS} <= {*titles}
    assert {*DRAWN} == {*FIGURES}
    assert {section.figure for section in busy[0].sections if section.figure} == {*FIGURES}


def test_every_measure_says_its_n_its_eras_its_scale_and_its_null(busy):
    assert {*NULLS} == {*METRICS, *FINDINGS}
    for section in busy[0].sections:
        if section.title in {*METRICS, *FINDINGS}:
            standing = section.said[2]
            assert re.match(r"n = \d+, .*; eras: era 1: instrument instrument-1 \(\d+ runs\); scale: \w+", standing)
            assert standing.endswith(NULLS[section.title])


def test_the_page_needs_nothing_but_itself(files):
    page = files[1]
    read = Page(page)
    assert read.open == []
    assert not {"script", "link", "iframe", "img"} & {*read.tags}
    assert len(read.ids) == len(set(read.ids))
    assert read.targets
    outside = [target for target in read.targets if not target.startswith("data:image/png;base64,")]
    assert {target.removeprefix("#") for target in outside} <= {*read.ids}
    assert "@import" not in page
    assert page.count("<svg") == len(FIGURES)
    assert {*re.findall(r"https?://[\w./-]+", page)} <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_both_forms_have_every_table_of_the_document(busy, files):
    text, page = files
    assert text == markdown(busy[0])
    many = sum(len(section.tables) for section in busy[0].sections) + 1
    assert page.count("<table>") == text.count("| --- |\n") == many
    cells = {len(re.split(r"(?<!\\)\|", line)) for line in text.split("\n\n")[-1].splitlines()}
    assert len(cells) == 1


def test_what_a_log_says_is_text_in_both_forms_and_never_markup():
    laid, measurement = laid_out(nasty())
    text, page = markdown(laid), hypertext(laid, drawings(measurement))
    read = Page(page)
    assert "script" not in read.tags
    assert any(NASTY[0] in told for told in read.texts)
    assert any(NASTY[1] in told for told in read.texts)
    assert "<" not in text
    assert "&lt;script&gt;" in text
    assert r"a\|b &amp; " in text


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    path = tmp_path / "tale.myriad"
    archive.export(tales.one().log, path)
    assert replay(str(path), "report", "--markdown", str(tmp_path / "none" / "r.md")) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "cannot be written" in told.err
    assert told.err.count("\n") == 1


def test_one_era_is_reported_by_itself(tmp_path, capsys):
    c = Chronicle()
    c.opened()
    for turn in range(30):
        c.instrument = f"instrument-{1 + turn // 20}"
        c.runs(c.queues(c.proposes("tpe", batch=(16, 32)[turn % 2])), validation=0.5 + turn / 100)
    path = tmp_path / "tale.myriad"
    archive.export(c.log, path)
    told = {}
    for era in ("1", "2", "current", "all"):
        assert replay(str(path), "report", "--era", era, "--json") == 0
        made = json.loads(capsys.readouterr().out)
        told[era] = (made["values"]["completed"], made["subject"]["instruments"])
    assert told["1"] == (20, ["instrument-1"])
    assert told["2"] == told["current"] == (10, ["instrument-2"])
    assert told["all"][0] == 30
    assert replay(str(path), "report", "--era", "7") == 2
