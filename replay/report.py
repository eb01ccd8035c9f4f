"""A whole campaign on a page: what it is, who leads, who searched how, what broke, and whether the record holds."""

from __future__ import annotations

import msgspec

from events.log import LogReader
from replay.agents import AgentRow, agents
from replay.beside import Line, beside, is_simulated
from replay.champions import Champion, champion, stood
from replay.controls import Control, ControlsFold
from replay.counts import count, window_for
from replay.diversity import cells, highest, projections
from replay.leaderboard import Row, leaderboard
from replay.leads import Leads, LeadsFold, leads
from replay.ledger import Ledger
from replay.measures import Measurement, Values
from replay.milestones import MilestonesFold
from replay.occupancy import OccupancyFold
from replay.outlook import Sentence, outlook
from replay.progress import expected_improvements
from replay.seals import Check, Verdict, overall, verified
from replay.statistics.costs import Cost, Mended, Use, costs, mended, shifts_of, used
from replay.subject import Subject, subject
from replay.troubles import Failures, Queue, failures, queue

NO_TEST = "validation AP; all selection reads it, test is not shown"
WITH_TEST = "validation AP; test AP is shown beside it and never selected on"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Entropy of one part of the space in bits; None where observations are too few.

    Attributes:
        first: over the first full window, or over what there is.
        last: over the latest window.
        whole: over all completions.
        at_most: the largest that a window of that length can have.
    """

    part: str
    dimensions: tuple[str, ...]
    first: float | None
    last: float | None
    whole: float | None
    at_most: float


class Searching(msgspec.Struct, frozen=True, kw_only=True):
    """How it searched.

    Attributes:
        n: completed experiments, the sequence that all of it is read from.
        window: name and length of the sliding window.
        improvements: completions that beat all before them.
        improvements_if_exchangeable: the null: as many as n runs in any order would show.
        divergence, divergence_windowed: bits, between the agents; the latter over the paper's window.
        compared: the dimensions over which the agents are compared.
    """

    n: int
    window: str
    spreads: list[Spread]
    improvements: int
    improvements_if_exchangeable: float
    innovation_rate: float | None
    divergence: float | None
    divergence_windowed: float | None
    compared: tuple[str, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The replay's digest and what the analyst recorded while the campaign ran.

    Attributes:
        checks: one a recording.
        verdict: held, broken, or unknown where nothing comparable was recorded.
    """

    digest: str
    checks: list[Check]
    verdict: Verdict


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME report --json` prints.

    Attributes:
        beside: of a simulated campaign, its numbers beside the published ones.
    """

    subject: Subject
    scale: str
    values: Values
    leaders: list[Row]
    leads: list[Leads]
    controls: list[Control]
    agents: list[AgentRow]
    search: Searching
    statistics: list[Sentence]
    failures: Failures
    queue: Queue
    record: Record
    costs: list[Cost] = []
    uses: list[Use] = []
    mended: list[Mended] = []
    beside: list[Line] = []
    champion: Champion | None = None


def report(log: LogReader, *, top: int = 10, with_test: bool = False, until: int | None = None) -> Report:
    """Fold a log and report on it, through `until` or its end."""
    return reported(*folded(log, until=until), top=top, with_test=with_test)


def folded(log: LogReader, *, until: int | None = None, whole: bool = True) -> tuple[Measurement, list[Check]]:
    """Fold everything that a report reads, and check what the analyst recorded on the way.

    A log that is not `whole`, such as one era of another, says nothing of what devices did between its runs.
    """
    devices = (OccupancyFold(),) if whole else ()
    return verified(log, ControlsFold(), LeadsFold(), MilestonesFold(), *devices, until=until)


def reported(measurement: Measurement, checks: list[Check], *, top: int = 10, with_test: bool = False) -> Report:
    """Report on what was folded."""
    ledger, results = measurement.ledger, measurement.results
    controls, at_leads = measurement.beside[:2]
    rows = stood(ledger, leaderboard(ledger, top=top, with_test=with_test))
    return Report(
        subject=subject(ledger, measurement.through),
        scale=WITH_TEST if with_test else NO_TEST,
        values=measurement.values(),
        leaders=rows,
        leads=[
            leads(r.experiment, at_leads[r.experiment], with_test=with_test) for r in rows if r.experiment in at_leads
        ],
        controls=controls,
        agents=agents(results),
        search=searching(measurement),
        statistics=outlook(ledger),
        failures=failures(results),
        queue=queue(ledger),
        record=record(measurement, checks),
        costs=costs(results),
        uses=used(shifts_of(measurement) or {}),
        mended=mended(results),
        beside=beside(measurement) if is_simulated(ledger) else [],
        champion=champion(ledger),
    )


def record(measurement: Measurement, checks: list[Check]) -> Record:
    """Say whether what was recorded holds."""
    return Record(digest=measurement.digest(), checks=checks, verdict=overall(checks))


def searching(measurement: Measurement) -> Searching:
    """Say how it searched."""
    search, ledger = measurement.results[0], measurement.ledger
    n = len(ledger.completed)
    window = window_for(n)
    return Searching(
        n=n,
        window=f"{window.name}: {window.length(n)}",
        spreads=_spreads(ledger),
        improvements=len(search.progress.improvements),
        improvements_if_exchangeable=expected_improvements(n),
        innovation_rate=search.progress.innovation(window),
        divergence=search.divergence.cumulative(),
        divergence_windowed=search.divergence.windowed(),
        compared=search.compared,
    )


def _spreads(ledger: Ledger) -> list[Spread]:
    if ledger.space is None:
        return []
    n = len(ledger.completed)
    window = window_for(n)
    found = []
    for part, dimensions in projections(ledger.space).items():
        sequence = cells(ledger, dimensions)
        length = min(n, window.length(n))
        found.append(
            Spread(
                part=part,
                dimensions=dimensions,
                first=count(sequence[:length]).entropy(),
                last=count(sequence[n - length :]).entropy(),
                whole=count(sequence).entropy(),
                at_most=highest(ledger.space, dimensions, length),
            )
        )
    return found
