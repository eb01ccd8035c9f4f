"""How fast the scheduler judges the paper's candidates, and what its order saves beside first come, first served.

    just bench scheduler [SEEDS] [CANDIDATES]        # 100 and 42,042 unless told otherwise

Judging: processor time of one process, all in all; candidates are uniform draws of which a quarter repeat an earlier
one, in frames of 25. Order: campaigns of `tests/benchmarks/planted.py` on two devices, two agents with long queues.
First come, first served completes 80 experiments; every other order may spend as many GPU-seconds, and is asked when it
reaches the best that the former found. The share is that time beside the time at which the former found it; a campaign
that never reaches it counts with all that it spent. Median over seeds, with the order statistics that hold it in 95 of
100 cases (binomial).
"""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from functools import cache
from math import comb
from random import Random

from actors.judgement.budgets import Budget
from actors.policies.uniform import draw
from actors.role import Known, News
from actors.scheduler import Scheduler
from events.envelope import Position, Text
from events.facts import AgentJoined, AnswerReceived, CampaignOpened, CycleStarted, IdeaProposed
from events.log import Frame
from events.memory import MemoryLog
from events.spaces import PAPER
from tests.benchmarks.planted import TERMS, TIMEOUT, End, best, first_come, played, until, without

SEEDS, CANDIDATES, FRAME, EXPERIMENTS = 100, 42_042, 25, 80


def proposed(candidates: int) -> MemoryLog:
    """Write a campaign whose agent has proposed all of them."""
    log, random = MemoryLog("judged"), Random(1)
    known = [draw(PAPER, random) for _ in range(candidates * 3 // 4)]
    known += random.choices(known, k=candidates - len(known))
    random.shuffle(known)
    opened = CampaignOpened(campaign="judged", file=Text(head=""), space=PAPER, seed=1)
    log.append(Frame("myriad.judged.campaign.opening.person-a", "person-a:1", (opened,)))
    log.append(Frame("myriad.judged.campaign.roster.agent-a", "agent-a:1", (AgentJoined(agent="a", policy="uniform"),)))
    for number, first in enumerate(range(0, candidates, FRAME), start=1):
        cycle = f"c-{number}"
        ideas = tuple(
            IdeaProposed(
                idea=f"i-{first + n}",
                agent="a",
                configuration=point,
                rationale="",
                origin="agent",
                cause=Position(log.last() + 1),
            )
            for n, point in enumerate(known[first : first + FRAME])
        )
        answer = AnswerReceived(cycle=cycle, text=Text(head=""), model="uniform")
        frame = (CycleStarted(cycle=cycle, agent="a", key=number), answer, *ideas)
        log.append(Frame(f"myriad.judged.cycle.{cycle}.agent-a", f"agent-a:{number + 1}", frame))
    return log


def judged(log: MemoryLog) -> tuple[float, int, int]:
    """Let a scheduler judge whatever a log holds; the seconds of that, the verdicts, and the experiments.

    Deciding, writing into memory and folding the verdicts are in it: a clock between them would cost more than they do.
    """
    role, known = Scheduler(Budget(experiments=10**6), agents=1, silence=10.0), Known()
    known.advance(log.read())
    number = verdicts = 0
    began = time.process_time()
    while (decision := role.decide(known, 0, News())) is not None:
        number, verdicts = number + 1, verdicts + len(decision.facts)
        subject = f"myriad.judged.{decision.aggregate}.{decision.identity}.scheduler"
        log.append(Frame(subject, f"scheduler:{number}", decision.facts))
        known.advance(log.read(log.last() - 1))
    return time.process_time() - began, verdicts, len(known.ledger.experiments)


@cache
def former(seed: int) -> list[End]:
    """Return what first come, first served completed, in order."""
    return played(seed, first_come, budget=Budget(experiments=EXPERIMENTS, timeout=TIMEOUT))


def shares(seeds: int, term: str | None) -> tuple[list[float], int]:
    """Return each seed's share, sorted, and how many never reached the best; `term` is taken out of the order."""
    found, never = [], 0
    for seed in range(1, seeds + 1):
        spent, target = former(seed)[-1].spent, best(former(seed))
        with without(term) if term is not None else nullcontext():
            told = played(seed, budget=Budget(gpu_hours=(spent + 2 * TIMEOUT) / 3600, timeout=TIMEOUT))
        reached = until([end for end in told if end.spent <= spent], target)
        never += reached is None
        found.append((spent if reached is None else reached) / (until(former(seed), target) or spent))
    return sorted(found), never


def interval(many: int) -> tuple[int, int]:
    """Return the ranks, from 0, of the order statistics that hold the median in at least 95 of 100 cases."""
    tail, low = 1 / 2**many, 0
    while low < many // 2 and tail <= 0.025:
        low += 1
        tail += comb(many, low) / 2**many
    return max(0, low - 1), min(many - 1, many - low)


def main() -> None:
    """Print both."""
    seeds, candidates = (int(word) for word in (*sys.argv[1:3], *map(str, (SEEDS, CANDIDATES)[len(sys.argv) - 1 :])))
    seconds, verdicts, accepted = judged(proposed(candidates))
    print(f"{verdicts} candidates judged in {seconds:.2f} s ({accepted} accepted)")
    print(f"\n{seeds} seeds, GPU-seconds to first come, first served's best, beside its own")
    print(f"{'order':20} {'median':>7} {'95% interval':>15} {'never':>6}")
    low, high = interval(seeds)
    for term in (None, *TERMS):
        found, never = shares(seeds, term)
        middle = (found[(seeds - 1) // 2] + found[seeds // 2]) / 2
        name = "as it is" if term is None else f"without {term}"
        print(f"{name:20} {middle:7.3f} {found[low]:7.3f} {found[high]:7.3f} {never:6}", flush=True)


if __name__ == "__main__":
    main()
