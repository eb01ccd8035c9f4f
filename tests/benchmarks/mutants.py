"""`just bench mutants`: every bug planted in a copy of the kernels and what its canaries said, in docs/mutants.md."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.kernels.mechanical import mutants
from tests.kernels.planted import PLANTED
from tests.kernels.planting import Caught, Copy, Mutant

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"
SEEDS = 20

WHY: dict[str, str] = {}
"""Why a mutant passes, by its name."""


def main() -> None:
    """Look at the healthy instrument on twenty seeds, then at every mutant, and write the page."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, closing(Copy(Path(folder))) as copy:
        planted, mechanical = _looked(copy, PLANTED), _looked(copy, mutants())
        ill = [seed for seed in range(SEEDS) if copy.healthy(seed)]
    page = "\n".join([*_head(planted, mechanical, ill, time.monotonic() - began), *_table(planted), *_rest(mechanical)])
    PAGE.write_text(page + "\n", encoding="utf-8")
    print(page)


def _looked(copy: Copy, every: tuple[Mutant, ...]) -> list[Caught]:
    found = []
    for number, mutant in enumerate(every, 1):
        found.append(copy.look(mutant))
        verdict = "named" if found[-1].is_named else "refused" if found[-1].refused else "PASSED"
        print(f"{number:4} of {len(every)}  {verdict:8} {mutant.name}", flush=True)
    return found


def _head(planted: list[Caught], mechanical: list[Caught], ill: list[int], seconds: float) -> list[str]:
    refused = [sum(one.refused for one in found) for found in (planted, mechanical)]
    named = [sum(one.is_named for one in found) for found in (planted, mechanical)]
    return [
        "# Planted bugs and what the canaries said",
        "",
        "Written by `just bench mutants`: each bug alone in a copy of `kernels/`, whose canaries run in a process of",
        "their own (seed 1). Named means that a problem names the dimension or the stage that was broken.",
        "",
        "| | planted | refused | named |",
        "| --- | ---: | ---: | ---: |",
        f"| bugs of real pipelines | {len(planted)} | {refused[0]} | {named[0]} |",
        f"| mechanical mutants | {len(mechanical)} | {refused[1]} | {named[1]} |",
        "",
        f"The healthy instrument on {SEEDS} seeds: {SEEDS - len(ill)} pass"
        + (f"; refused on {ill}" if ill else "")
        + f". All of it took {seconds / 60:.0f} minutes beside other work.",
        "",
    ]


def _table(planted: list[Caught]) -> list[str]:
    rows = ["| bug | first word of where it is |", "| --- | --- |"]
    for one in planted:
        said = one.said[-1].replace("\n", " ").replace("|", "/")[:160] if one.said else "**passes**"
        rows.append(f"| {one.mutant.name} | {said} |")
    return [*rows, ""]


def _rest(mechanical: list[Caught]) -> list[str]:
    """Mechanical mutants: by canary that refused them, and those that passed or were not named."""
    first = Counter(one.said[-1].partition(",")[0] for one in mechanical if one.said)
    raised = [one.mutant.name for one in mechanical if one.said and "Error: " in one.said[-1]]
    canaries = ", ".join(f"{count} {name}" for name, count in first.most_common())
    lines = [f"Mechanical mutants, by the canary that named them: {canaries}."]
    lines += ["", f"{len(raised)} of them made a run raise; the others would have trained on in silence."]
    lines += [f"- {name}" for name in raised]
    for title, left in (
        ("Passed", [one for one in mechanical if not one.refused]),
        (
            "Refused without the name of what was broken",
            [one for one in mechanical if one.refused and not one.is_named],
        ),
    ):
        lines += ["", f"{title}: {len(left)}."]
        lines += [f"- {one.mutant.name}: {WHY.get(one.mutant.name, 'not explained yet')}" for one in left]
    return lines


if __name__ == "__main__":
    main()
