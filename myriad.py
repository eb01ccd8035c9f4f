"""The front door: every door of every room by its import string, none of them imported until it is asked for."""

from __future__ import annotations

import os
import select
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from cyclopts import App

ROOMS = ("events", "kernels", "replay", "tui", "actors")

DOORS = {
    "demo": ("actors.doors:demo", "Run a real campaign of two to three minutes, then replay it to the same digest."),
    "new": ("actors.doors:new", "Write a commented campaign file to start from."),
    "check": ("actors.doors:check", "Check a campaign file and try one run; spends nothing."),
    "run": ("actors.doors:run", "Start a campaign, or resume it where it stands."),
    "worker": ("actors.hosts.doors:worker", "Lend this machine's devices to a campaign that runs elsewhere."),
    "invite": ("actors.hosts.doors:invite", "Let a machine lend its devices: write the credential that it needs."),
    "extract": ("actors.doors:extract", "Make a campaign's clips and features before it is run."),
    "predict": ("actors.doors:predict", "Score clips with a run whose weights were kept."),
    "rerun": ("actors.doors:rerun", "The same run again, compared with its record; or what defects touched."),
    "stop": ("actors.doors:stop", "Ask a running campaign to end cleanly."),
    "simulate": ("actors.doors:simulate", "Play a whole campaign on a surrogate, in virtual time; trains nothing."),
    "list": ("replay.doors:list_", "Name the campaigns: state, best, spend, size."),
    "watch": ("tui.doors:watch", "One campaign on one screen, live or recorded."),
    "tail": ("events.doors:tail", "Facts as JSON lines, resumable by position."),
    "replay": ("replay.doors:replay", "Question a log: report, audit, metric, at, lineage, trajectory, queue, diff."),
    "whatif": ("actors.hindsight.doors:whatif", "A recorded campaign under another rule: exact, a bound, or unknown."),
    "rehearse": (
        "actors.hindsight.doors:rehearse",
        "Today's roles over a recorded campaign: would they decide the same?",
    ),
    "declare": ("events.doors:declare", "Pause, resume, boost, cancel, ban, lift, reopen; defects and their fixes."),
    "export": ("actors.doors:export", "Write a campaign into one portable file, as open tables, or its champion."),
    "import": ("actors.doors:import_", "Make a campaign from a portable file, or from an Optuna study."),
    "schema": ("events.doors:schema", "JSON Schema of every fact, or the stream's AsyncAPI document."),
    "selftest": ("kernels.doors:selftest", "Check operations, encoders and lanes on this device."),
}

NESTED = ("replay", "declare")
"""Doors with commands of their own, which say so themselves."""


def app() -> App:
    """Return the command line, its doors still closed."""
    doors = App(
        name="myriad",
        help="The flight recorder and the engine for autonomous machine-learning research.",
        version_flags=("--version",),
        result_action="return_value",
    )
    for name, (door, sentence) in DOORS.items():
        own: dict[str, tuple[str, ...]] = {"help_flags": (), "version_flags": ()} if name in NESTED else {}
        doors.command(door, name=name, help=sentence, **own)
    return doors


def main() -> None:
    """Open the door that was asked for; a user's mistake is one sentence on standard error and exit code 1 or 2.

    A reader such as `head` may close the pipe before the end; that ends us without a word, with 141 as shells have it.
    """
    if (shadow := shadowed()) is not None:
        sys.exit(shadow)
    try:
        code = app()()
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        if not _is_ours(error):
            raise
        print(f"myriad: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 1))
    sys.exit(code if isinstance(code, int) else 0)


def shadowed() -> str | None:
    """Name the foreign distribution that stands where one of our rooms should, or return None."""
    here = Path(__file__).resolve().parent
    for room in ROOMS:
        places = (Path(place or ".") / room for place in sys.path)
        found = next((place for place in places if (place / "__init__.py").is_file()), None)
        if found is not None and found.resolve() != here / room:
            owner = packages_distributions().get(room, ["an unknown distribution"])[0]
            return f"myriad: {found} of {owner} stands before our {room}/; uninstall {owner} or use a fresh environment"
    return None


def _nobody_reads() -> bool:
    """Say whether standard output is a pipe whose other end is closed."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in output.poll(0))


def _is_ours(error: BaseException) -> bool:
    """Say whether an error is the root of one of our rooms' families, whose text is written for the person."""
    return any(
        kind.__module__.endswith(".errors") and kind.__module__.split(".")[0] in ROOMS for kind in type(error).__mro__
    )
