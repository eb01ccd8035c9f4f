"""Whether a log kept the laws of the house: each law ruled on its own, told how often it was put to the test.

The audit reads frames itself and keeps its own story of them, so that a log that no fold would take, or a fold that is
wrong, is found out. It does not see that somebody rewrote a whole log consistently: that is for the archive's chain.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from events import codec
from events.envelope import Fact, Position
from events.errors import FrameUnreadable, GapFound, LogError
from events.log import LogReader, Recorded
from replay.errors import ReplayError
from replay.folds import run
from replay.laws.frames import FRAME_LAWS
from replay.laws.ideas import IDEA_LAWS, everything_begun_is_accounted_for
from replay.laws.rulings import KEPT, Breach, Case, Closing, Law, Ruling, broken, named, overall, untold
from replay.laws.runs import RUN_LAWS, the_campaign_file_can_be_read
from replay.laws.story import Entry, Story
from replay.laws.trust import TRUST_LAWS
from replay.leaderboard import leaderboard
from replay.ledger import LedgerFold
from replay.pages.tables import WIDTH, cut, folded, table
from replay.scales import SelectedOnTest, selects_by_validation
from replay.seals import Check, Verdict, verified
from replay.settings import Reading, at_hand

LAWS: tuple[Law, ...] = (*FRAME_LAWS, *IDEA_LAWS, *RUN_LAWS, *TRUST_LAWS)
"""The laws that each fact puts to the test."""

CLOSINGS: tuple[Closing, ...] = (everything_begun_is_accounted_for, the_campaign_file_can_be_read)
"""The laws that the end of the log decides."""

READABLE, MEASURES = "every frame can be read", "recorded measures equal recomputed ones"
"""The laws about frames as bytes, and about what the analyst recorded."""

SCALES = "selection reads validation alone"
"""The law about who reads the log: the leaders are the same where every test score is another one."""

DIGITS = 15
"""Characters of a digest that a sentence shows."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME audit --json` prints.

    Attributes:
        through: the last sequence that was read.
        facts: that were read.
        verdict: broken where one law was; held where every law that applies everywhere had its cases and no case of any
            law was broken or unknown; else unknown.
    """

    campaign: str
    through: int
    facts: int
    verdict: Verdict
    rulings: list[Ruling]


def audit(log: LogReader, reading: Reading = at_hand, *, laws: tuple[Law, ...] = LAWS) -> Audit:
    """Put every law to the test on a log, from its first frame to its last.

    Args:
        log: any reader; what it cannot read is a breach, not an error.
        reading: returns the whole of a text whose fact keeps only its ends, such as a long campaign file.
        laws: those that facts put to the test.
    """
    story, court = Story(log.campaign, reading), _Court(laws)
    facts = 0
    for recorded in _frames(log, court):
        for entry in _entries(recorded, court):
            court.hear(story, entry)
            story.advance(entry)
            facts += 1
    court.close(story)
    for check in _checks(log):
        court.rule(MEASURES, _case(check) if isinstance(check, Check) else check, _where(check))
    for case in _scales(log):
        court.rule(SCALES, case, None)
    rulings = list(court.rulings.values())
    return Audit(campaign=log.campaign, through=story.last, facts=facts, verdict=overall(rulings), rulings=rulings)


def audit_page(audit: Audit) -> str:
    """Return an audit's text."""
    tried = [ruling for ruling in audit.rulings if ruling.held or ruling.broken or ruling.unknown]
    never = [ruling for ruling in audit.rulings if ruling not in tried]
    rows = [(r.law, r.verdict, r.held, r.broken, r.unknown) for r in tried]
    lines = [
        f"audit      {audit.verdict}: campaign {audit.campaign} through position {audit.through}, {audit.facts} facts",
        "",
        *(table(("law, put to the test", "verdict", "held", "broken", "unknown"), rows) if rows else []),
    ]
    for ruling in tried:
        lines += [_told(ruling, breach) for breach in ruling.breaches]
    if never:
        lines += ["", "never put to the test, so nobody can say that they held:"]
        lines += [f"  {ruling.law}{_needed(ruling)}" for ruling in never]
    return folded(lines, indent=4)


class _Court:
    """Rules the laws case by case."""

    def __init__(self, laws: tuple[Law, ...]) -> None:
        self.rulings = {READABLE: Ruling(law=READABLE, everywhere=True)}
        self.rulings |= {named(law.check): Ruling(law=named(law.check), everywhere=law.everywhere) for law in laws}
        self.rulings |= {named(law): Ruling(law=named(law), everywhere=True) for law in CLOSINGS}
        self.rulings[MEASURES] = Ruling(law=MEASURES, everywhere=True)
        self.rulings[SCALES] = Ruling(law=SCALES)
        self._always = [law for law in laws if not law.kinds]
        self._by_kind: dict[type[Fact], list[Law]] = {}
        for law in laws:
            for kind in law.kinds:
                self._by_kind.setdefault(kind, []).append(law)

    def hear(self, story: Story, entry: Entry) -> None:
        """Put every law that looks at a fact to the test."""
        for law in (*self._always, *self._by_kind.get(type(entry.fact), ())):
            ruling = self.rulings[named(law.check)]
            for case in law.check(story, entry):
                ruling.add(case, entry.position)

    def close(self, story: Story) -> None:
        """Decide what only the end of the log decides."""
        for law in CLOSINGS:
            for case in law(story):
                self.rule(named(law), case, None)

    def rule(self, law: str, case: Case, position: Position | None) -> None:
        """Count a case of a law by its name."""
        self.rulings[law].add(case, position)


def _frames(log: LogReader, court: _Court) -> Iterator[Recorded]:
    try:
        yield from log.read()
    except GapFound as gap:
        court.rule("no sequence is missing", broken(str(gap)), Position(gap.found))


def _entries(recorded: Recorded, court: _Court) -> Iterator[Entry]:
    try:
        # without the author: a type that is not its author's to write is a law's to judge, not an error
        facts = codec.decode(recorded.payload, sequence=recorded.sequence)
    except FrameUnreadable as error:
        newer = error.unknown is not None
        court.rule(READABLE, untold(str(error)) if newer else broken(str(error)), Position(recorded.sequence))
        return
    court.rule(READABLE, KEPT, None)
    for index, fact in enumerate(facts):
        position = Position(recorded.sequence, index)
        yield Entry(position, recorded.subject, recorded.author, recorded.id, len(facts), fact)


def _checks(log: LogReader) -> list[Check] | list[Case]:
    try:
        return verified(log)[1]
    except (LogError, ReplayError) as error:
        return [untold(f"the log does not fold: {error}")]


def _scales(log: LogReader) -> list[Case]:
    try:
        leaders = selects_by_validation(_leaders, log, name="the leaderboard")
    except SelectedOnTest as error:
        return [broken(str(error))]
    except (LogError, ReplayError):
        return []  # that the log does not fold is told where its measures are recomputed
    return [KEPT] if leaders else []


def _leaders(log: LogReader) -> list[str]:
    return [row.experiment for row in leaderboard(run(log, LedgerFold())[0])]


def _case(check: Check) -> Case:
    if check.verdict == "held":
        return KEPT
    about = f"{check.kind} through {check.through}"
    if check.recomputed is None:
        return Case(check.verdict, f"{about}, and the log does not reach so far")
    differing = f", differing {', '.join(check.differing)}" if check.differing else ""
    digests = f"{check.recorded[:DIGITS]}... recorded, {check.recomputed[:DIGITS]}... recomputed"
    return Case(check.verdict, f"{about}{differing}: {digests}")


def _where(check: Check | Case) -> Position | None:
    return Position(check.sequence) if isinstance(check, Check) else None


def _told(ruling: Ruling, breach: Breach) -> str:
    where = f"at {breach.position}" if breach.position is not None else "at the end"
    return cut(f"  {breach.verdict} {where}: {ruling.law}: {breach.sentence}", 3 * WIDTH)


def _needed(ruling: Ruling) -> str:
    return " (every finished campaign should)" if ruling.everywhere else ""
