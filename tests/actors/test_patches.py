"""Patches: a diff of somebody who is not trusted changes a few lines of a few files of kernels/, or nothing at all."""

from __future__ import annotations

from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.policies import mending
from actors.repair import patches
from actors.repair.crash import site
from actors.repair.patches import PatchRefused
from actors.repair.workshop import INSTALLED

TEXT = "import torch\n\n\ndef one(x):\n    return x + 1\n\n\ndef two(x):\n    return x + 1\n"
HEAD = "--- a/kernels/losses.py\n+++ b/kernels/losses.py\n"
HUNK = "@@ -1,1 +1,1 @@\n-import torch\n+import torch  # x\n"


def reading(path: str) -> str:
    if path != "losses.py":
        raise FileNotFoundError(path)
    return TEXT


def diff(after: str, *, name: str = "kernels/losses.py", before: str = TEXT, context: int = 3) -> str:
    lines = unified_diff(before.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}", n=context)
    return "".join(lines)


def applied(change: str) -> str:
    (text,) = patches.apply(patches.parse(change), reading).values()
    return text


def test_a_diff_of_existing_lines_is_applied_to_the_letter() -> None:
    after = TEXT.replace("return x + 1\n\n", "return x + 2\n\n")
    assert applied(diff(after)) == after


def test_several_hunks_of_a_file_are_applied_each_in_its_place() -> None:
    after = TEXT.replace("x + 1", "x + 3").replace("import torch", "import torch\nimport math")
    assert applied(diff(after, context=1)) == after


def test_a_hunk_whose_counts_and_number_are_wrong_still_goes_where_its_lines_are() -> None:
    wrong = f"{HEAD}@@ -900,7 +2,1 @@\n def two(x):\n-    return x + 1\n+    return x\n"
    assert applied(wrong) == TEXT.replace("def two(x):\n    return x + 1", "def two(x):\n    return x")


def test_a_hunk_that_fits_two_places_goes_where_its_number_says_and_nowhere_without_one() -> None:
    twice = HEAD + "@@ -{},1 +{},1 @@\n-    return x + 1\n+    return x\n"
    assert applied(twice.format(9, 9)) == TEXT[: TEXT.rindex("    return")] + "    return x\n"
    with pytest.raises(PatchRefused, match="fits 2 places"):
        applied(twice.format(7, 7))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("", "no change in the diff"),
        ("just words\n", "no change in the diff"),
        (HUNK, "before any --- and"),
        (HEAD, "without a hunk"),
        ("--- a/kernels/losses.py\n" + HUNK, "not followed by a \\+\\+\\+ line"),
        (HEAD + "@@ nonsense @@\n-import torch\n+x\n", "no hunk header"),
        (HEAD + "@@ -1,1 +1,1 @@\n import torch\n", "changes none"),
        (HEAD + "@@ -0,0 +1,1 @@\n+import torch\n", "shows no line that is there"),
        (HEAD + "@@ -1,1 +1,1 @@\n-import numpy\n+import torch\n", "are not in kernels/losses.py"),
        (HEAD + "@@ -1,1 +1,1 @@\n-import torch\n+import torch\n?\n", "neither a space nor"),
        (HEAD + HUNK + HEAD + HUNK, "names a file twice"),
        (HEAD + "@@ -1,1 +1,1 @@\n-import torch\n+import (\n", "would be no Python"),
        (HEAD + "@@ -1,1 +1,1 @@\n-import torch\n+" + "(" * 5000 + "\n", "would be no Python"),
        (HEAD + HUNK.replace("# x", "# \u202e"), "characters that no source line has"),
        (HEAD + HUNK.replace("# x", "# \0"), "characters that no source line has"),
        (HEAD + HUNK.replace("# x", "# " + "x" * patches.LONGEST), "more than 65536 bytes"),
        (HEAD + "@@ -1,1 +1,900 @@\n import torch\n" + "+x = 1\n" * 401, "changes 401 lines"),
        ("rename from kernels/losses.py\nrename to kernels/x.py\n", "and nothing else"),
        ("GIT binary patch\n", "and nothing else"),
        ("Binary files a/kernels/x.so and b/kernels/x.so differ\n", "and nothing else"),
        ("--- /dev/null\n+++ b/kernels/new.py\n@@ -0,0 +1,1 @@\n+x = 1\n", "makes and removes no files"),
        ("--- a/kernels/losses.py\n+++ /dev/null\n" + HUNK, "makes and removes no files"),
        ("--- a/kernels/losses.py\n+++ b/kernels/plans.py\n" + HUNK, "moves no files"),
    ],
)
def test_what_is_no_small_change_of_existing_lines_is_refused(change: str, why: str) -> None:
    with pytest.raises(PatchRefused, match=why):
        applied(change)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "actors/benches/bench.py",
            "kernels",
            "kernels/",
            "losses.py",
            "/etc/passwd",
            "kernels/../actors/benches/bench.py",
        ),
        *("kernels//losses.py", "./kernels/losses.py", "kernels/losses.pyc", "kernels/weights/record.json"),
        *("kernels/operations/recurrences.c", "kernels/lo\u0455ses.py", "../kernels/losses.py", "kernels/..py"),
    ],
)
def test_no_path_but_that_of_a_python_file_of_kernels_is_taken(path: str) -> None:
    with pytest.raises(PatchRefused, match="is no Python file of kernels/"):
        patches.parse(f"--- a/{path}\n+++ b/{path}\n{HUNK}")


def test_what_says_what_a_number_means_is_sealed_and_is_there() -> None:
    names = [name for name in (*patches.SEALED, *patches.SEALED_TOO) if name != "canaries.py"]
    assert all((INSTALLED / name).exists() for name in names)
    held = ["splits.py", "evaluation.py", "precision.py", "scoring.py", "datasets.py", "instrument.py", "selftest.py"]
    held += ["canaries/suite.py", "tasks/roadsim.py", "__init__.py"]
    for path in held:
        with pytest.raises(PatchRefused, match="is sealed"):
            patches.parse(f"--- a/kernels/{path}\n+++ b/kernels/{path}\n{HUNK}")
    assert not patches.is_sealed("pooling.py")


@pytest.mark.parametrize(
    "line",
    [
        *("import os", "from kernels import splits", "from subprocess import run", "x = eval('1')", "open('x')"),
        *("x = __import__('os')", "x = one.__globals__", "setattr(torch, 'x', 1)", "exec('x')"),
    ],
)
def test_a_patch_may_not_reach_for_what_its_file_did_not(line: str) -> None:
    with pytest.raises(PatchRefused, match="would reach for"):
        applied(diff(TEXT.replace("import torch\n", f"import torch\n{line}\n")))


def test_the_name_of_a_patch_is_that_of_its_diff_and_of_what_it_is_made_upon() -> None:
    names = {patches.digest("a", None), patches.digest("a", "b"), patches.digest("b", None), patches.digest("a", None)}
    assert len(names) == 3


@given(st.text(alphabet=st.sampled_from("-+ @ab/\n"), max_size=300))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    try:
        changes = patches.parse(HEAD + "@@ -1,1 +1,1 @@\n" + text)
        patches.apply(changes, reading)
    except PatchRefused:
        pass


def test_an_answer_is_its_words_and_its_one_fenced_diff() -> None:
    read = mending.read(f"The sign is wrong.\r\n\r\n```diff\r\n{HEAD}{HUNK}```\r\nThat is all.")
    assert (read.explanation, read.diff, read.problem) == ("The sign is wrong.", HEAD + HUNK, None)


def test_a_fence_in_a_line_of_a_diff_does_not_end_it_and_other_blocks_are_words() -> None:
    diff = f"{HEAD}{HUNK} ```\n"
    read = mending.read(f"It computes\n```python\nx = 1\n```\n````patch\n{diff}````\n")
    assert read.diff == diff
    assert read.explanation == "It computes\n```python\nx = 1\n```"
    assert mending.read(f"```diff\n{diff}```\n").diff == diff


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("There is no defect.", "no fenced diff"),
        (f"```\n{HEAD}{HUNK}```", "no fenced diff"),
        (f"```diff\n{HEAD}{HUNK}```\n```diff\n{HEAD}{HUNK}```", "2 diffs, not one"),
        (f"```diff\n{HEAD}{HUNK}", "no fenced diff"),
        ("x" * (mending.LONGEST + 1), "at most"),
        ("```diff\n" * 25_000, "no fenced diff"),
    ],
)
def test_an_answer_without_one_diff_says_why_it_is_of_no_use(text: str, why: str) -> None:
    read = mending.read(text)
    assert read.diff is None
    assert why in str(read.problem)


def test_the_site_of_a_crash_is_its_last_place_in_kernels_and_the_kind_of_error() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/a/actors/benches/bench.py", line 9, in _train\n    x\n'
        '  File "/a/patches/00/kernels/training.py", line 7, in take\n    y\n'
        '  File "/a/kernels/encoders/retnet.py", line 70, in forward\n    z\n'
        '  File "/lib/torch/functional.py", line 1, in f\n    q\n'
        "RuntimeError: sizes differ\nin two lines\n"
    )
    assert site(trace) == "encoders/retnet.py forward RuntimeError"
    assert site("the bench ended with status -9\n") is None
    assert site('Traceback\n  File "/a/actors/benches/bench.py", line 9, in _train\n    x\nValueError: no\n') is None
