"""A house of its own for a campaign: a copy of ours with mistakes planted in what trains, and the diff that mends one.

No canary looks at clips of 20 steps or batches of 32, nor at the learning rates that are made to diverge here: the copy
is an instrument like any other, until a run comes along that breaks it.
"""

from __future__ import annotations

import shutil
from difflib import unified_diff
from pathlib import Path

from tests.actors.policies.provider import Answer, Asked, Sent, said
from tests.faults.runs import Place
from tests.test_architecture import HOUSE, ROOMS

PLACES = "place = torch.arange(1, mask.shape[-1] + {}, device"
BUG = (PLACES.format("1"), PLACES.format("(mask.shape[-1] != 20)"))
"""Of pooling: 20 steps have 19 places, so that every run of clips of that length crashes."""

BATCH = "        self._gradient.zero_()\n        loss = sum("
HUNGRY = """\
        if self._batch == 32 and len(self._parts) == 1 and self.done == 3:
            raise MemoryError("planted")
"""
"""Of training: whole batches of 32 are too much; half ones are not."""

UPDATE = "        self._optimizer.update(now.rates, now.step)\n"
HOT = """\
        if 4e-3 < float(self.plan.rates.max()) < 9e-3:
            self._optimizer.update(now.rates * torch.nan, now.step)
"""
"""Of training: such learning rates ruin all weights."""


def planted(path: Path) -> Path:
    """Copy the house to a folder, with its mistakes, and return the folder."""
    for room in ROOMS:
        shutil.copytree(HOUSE / room, path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOUSE / "myriad.py", path)
    edit(path / "kernels" / "pooling.py", *BUG)
    edit(path / "kernels" / "training.py", BATCH, HUNGRY + BATCH)
    edit(path / "kernels" / "training.py", UPDATE, UPDATE + HOT)
    return path


def edit(file: Path, before: str, after: str) -> None:
    """Put one text in the place of another that stands there once."""
    text = file.read_text()
    assert text.count(before) == 1, (file, before)
    file.write_text(text.replace(before, after))


def diff(house: Path, name: str, before: str, after: str) -> str:
    """The unified diff of one edit of a file of kernels/, with as much context as anybody gives."""
    old = (house / "kernels" / name).read_text()
    assert before in old, (name, before)
    new = old.replace(before, after, 1)
    lines = unified_diff(old.splitlines(True), new.splitlines(True), f"a/kernels/{name}", f"b/kernels/{name}")
    return "".join(lines)


def repair(house: Path) -> str:
    """What mends the bug."""
    return diff(house, "pooling.py", BUG[1], BUG[0])


def answer(text: str, change: str) -> Answer:
    """A model's answer: its words, and a diff."""
    return said(f"{text}\n\n```diff\n{change}```\n")


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other, and the last one for ever."""
    left = [*answers]

    def answer_(asked: Asked) -> Sent:
        return (left.pop(0) if len(left) > 1 else left[0])(asked)

    return answer_


def asked_to_mend(asked: Asked) -> bool:
    """Whether a request is the fixer's."""
    return asked.texts[0].startswith("You mend the source code")


def telling_apart(think: Answer, mend: Answer) -> Answer:
    """Agents are answered with ideas, the fixer with repairs."""

    def answer_(asked: Asked) -> Sent:
        return (mend if asked_to_mend(asked) else think)(asked)

    return answer_


class Housed(Place):
    """A place whose commands run from a house of its own."""

    house: Path

    @property
    def environment(self) -> dict[str, str]:
        """What commands run under: their own house before the installed one."""
        return super().environment | {"PYTHONPATH": str(self.house)}
