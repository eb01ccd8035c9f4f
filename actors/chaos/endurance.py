"""What `myriad simulate --faults` does: play many seeds, print what struck and what was tried, shrink what fails."""

from __future__ import annotations

import re
import time
from collections import Counter

from actors.chaos.faults import KINDS, Kind, Script, read, written
from actors.chaos.ordeals import Ordeal, ordeals, reproduced
from actors.errors import CampaignError
from replay.pages.tables import folded, table

ENOUGH = 150
"""Seeds among which every law has a case and every fault strikes: the rarest fault strikes in one seed of fourteen, so
that it is missing by chance once in 60,000 times."""

SHOWN = 5
"""Failing seeds that are shrunk and told; all of them are named."""


def endure(words: str, script: str | None = None) -> int:
    """Play the seeds that words name (`7`, or `1-1000`) and print what came of them.

    Returns 1 when one of them failed, or when `ENOUGH` of them left a law untried or a fault without a victim.

    Args:
        script: the faults of every one of them, as `actors.chaos.faults.written` writes them; each its own where None.

    Raises:
        CampaignError: the words name no seeds, or no faults.
    """
    seeds, faults = seeds_of(words), faults_of(script)
    failed: list[Ordeal] = []
    frames = 0

    def seen(one: Ordeal) -> None:
        nonlocal frames
        frames += one.frames
        if one.problems:
            failed.append(one)

    began = time.perf_counter()
    struck, laws = ordeals(seeds, seen, faults)
    seconds = time.perf_counter() - began
    print("\n".join(table(("fault", "struck"), [(kind.replace("_", " "), struck[kind]) for kind in KINDS])))
    print()
    print("\n".join(table(("law", "put to the test"), sorted(laws.items()))))
    print()
    for one in failed[:SHOWN]:
        print(told(one))
    print(f"SIMULATED: {len(seeds)} campaigns, {frames} frames, {sum(struck.values())} faults, in {seconds:.1f} s")
    idle = vacuous(struck, laws)
    whole = len(seeds) >= ENOUGH and faults is None
    firm = f"no law was vacuous: each of {len(laws)} was put to the test; all {len(KINDS)} faults struck"
    print(folded(idle or [firm], indent=4))
    if idle and not whole:
        print(f"no verdict on that: {ENOUGH} seeds with faults of their own are enough to expect all of them")
    print(f"{len(failed)} failed{': ' + ', '.join(str(one.seed) for one in failed) if failed else ''}")
    return 1 if failed or (idle and whole) else 0


def vacuous(struck: Counter[Kind], laws: Counter[str]) -> list[str]:
    """Return a sentence for the laws that nothing put to the test, and one for the faults that struck nobody."""
    untried = sorted(law for law, tried in laws.items() if not tried)
    absent = [kind.replace("_", " ") for kind in KINDS if not struck[kind]]
    sentences = [f"vacuous, for nothing put it to the test: {'; '.join(untried)}"] * bool(untried)
    return sentences + [f"never struck: {', '.join(absent)}"] * bool(absent)


def told(failed: Ordeal) -> str:
    """Return what a failing seed needs to fail, and how it fails then."""
    fewest = reproduced(failed)
    lines = [f"seed {failed.seed} fails under {len(fewest)} of its {len(failed.faults)} faults:"]
    lines += [f"  turn {fault.turn}: {fault.kind.replace('_', ' ')} ({fault.pick})" for fault in fewest]
    lines += [f"  {problem}" for problem in failed.problems[:SHOWN]]
    again = f'  again: myriad simulate --faults --seeds {failed.seed} --script "{written(fewest)}"'
    return folded([*lines, again, ""], indent=4)


def faults_of(words: str | None) -> Script | None:
    """Return the script that words mean, None where each seed has its own; raises `CampaignError`."""
    found = read(words) if words is not None else None
    if words is not None and found is None:
        raise CampaignError(
            f"--script {words!r} is not TURN:KIND:PICK with commas between faults; kinds are {', '.join(KINDS)}"
        )
    return found


def seeds_of(words: str) -> range:
    """Return the seeds that `FIRST-LAST` or one number means; raises `CampaignError`."""
    found = re.fullmatch(r"(\d{1,15})(?:-(\d{1,15}))?", words)
    first, last = (int(found[1]), int(found[2] or found[1])) if found is not None else (1, 0)
    if last < first:
        raise CampaignError(f"--seeds {words!r} is neither a number nor FIRST-LAST")
    return range(first, last + 1)
