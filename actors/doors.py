"""The doors of the room, from `myriad run` to `myriad predict`; each loads what it needs when it is called."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Home = Annotated[Path | None, Parameter(help="Folder of campaigns; default ./campaigns, or MYRIAD_HOME.")]


def run(
    campaign: str,
    *,
    headless: bool = False,
    home: Home = None,
    connect: str | None = None,
    listen: str | None = None,
    port: int = 0,
    websocket: int | None = None,
    replicas: int | None = None,
) -> int:
    """Start a campaign, or resume it where it stands.

    Args:
        campaign: a campaign file, or the name of a campaign that was started before.
        headless: plain lines and the operational log instead of bars.
        connect: JetStream servers to use (nats://user:password@host:port,..., or a credential file) instead of our own.
        listen: HOST:PORT on which our own server is open to other machines, with TLS; myriad invite lets them in.
        port: of our own server on the loopback address; 0 takes a free one.
        websocket: port on which our own server also takes browsers of this machine; 0 takes a free one.
        replicas: with --connect: copies of the log that a cluster keeps; by default as many as it can up to three.
    """
    from actors.running.hosting import Hosting  # noqa: PLC0415 # heavy
    from actors.running.sessions import file_of, session  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    place = home_of(home)
    hosting = Hosting.asked(connect=connect, listen=listen, port=port, websocket=websocket, replicas=replicas)
    return session(file_of(campaign, place), place, headless=headless, hosting=hosting)


def rerun(
    campaign: str,
    experiment: str | None = None,
    *,
    seeds: int | None = None,
    tainted: bool = False,
    gpu_hours: float | None = None,
    most: int | None = None,
    anyway: bool = False,
    device: str | None = None,
    record: bool = True,
    home: Home = None,
) -> int:
    """Make a run again under its own instrument and compare; --seeds repeats it, --tainted amends what defects touched.

    Exit code: 0 equal, or within the tolerance on another platform; 1 different; 2 the instrument is not here.

    Args:
        campaign: a campaign with a folder on this machine.
        experiment: a completed experiment such as e-12.
        seeds: run it under so many other seeds instead, at least 2: nobody is champion before.
        tainted: make the touched results that matter again with what everybody trains with now, best first.
        gpu_hours: with --tainted: device time for all of them; by default what the campaign's budget has left.
        most: with --tainted: at most so many.
        anyway: run under what is installed where the recorded instrument cannot be rebuilt.
        device: "cpu" or "cuda:0"; by default the kind that the record names.
        record: write the comparison on the log.
    """
    from actors.errors import CampaignError  # noqa: PLC0415 # heavy
    from actors.reruns import rerun as sitting  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    place = home_of(home)
    if tainted is (experiment is not None):
        raise CampaignError(f"myriad rerun {campaign}: name one experiment, or say --tainted")
    if seeds is not None and (experiment is None or seeds < 2):
        raise CampaignError(f"myriad rerun {campaign} EXPERIMENT --seeds N: name one experiment, and two seeds or more")
    if experiment is not None and seeds is not None:
        return sitting.repeat(campaign, experiment, place, many=seeds, device=device, write=record)
    if experiment is not None:
        return sitting.rerun(campaign, experiment, place, anyway=anyway, device=device, write=record)
    return sitting.amend(campaign, place, gpu_hours=gpu_hours, most=most, device=device, write=record)


def stop(name: str, *, home: Home = None) -> int:
    """Ask a running campaign to end cleanly; running packs get ten seconds.

    Args:
        name: the campaign's name.
    """
    from actors.running.sessions import running_pid  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    pid = running_pid(name, home_of(home))
    if pid is None:
        print(f"campaign {name} is not running on this machine", file=sys.stderr)
        return 1
    os.kill(pid, signal.SIGINT)
    print(f"asked process {pid} to stop; myriad run {name} resumes it")
    return 0


def new(file: Path) -> int:
    """Write a commented campaign file to start from.

    Args:
        file: where to write it; must not be there yet.
    """
    from actors.template import write  # noqa: PLC0415 # heavy

    write(file)
    print(f"{file}: read it, change it, then myriad check {file} and myriad run {file}")
    return 0


def check(file: Path, *, home: Home = None) -> int:
    """Check a campaign file: what it asks for, what it costs, what is missing; try one run; spend nothing.

    Args:
        file: the campaign file.
    """
    from actors.running.checking import check as checked  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    return checked(file, home_of(home))


def demo(*, home: Home = None, again: bool = False, headless: bool = False) -> int:
    """Run a real campaign of two to three minutes, then replay its log to the same digest.

    Args:
        again: run the campaign anew under another name; clips and features are taken over.
        headless: plain lines instead of bars.
    """
    from actors.running.demo import demo as shown  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    return shown(home_of(home), again=again, headless=headless)


def simulate(
    file: Path | None = None,
    /,
    *,
    experiments: int = 10_469,
    seed: int = 1,
    agents: int = 2,
    devices: int | None = None,
    policy: str | None = None,
    task: str | None = None,
    lanes: int = 1,
    run_seconds: float | None = None,
    like: str | None = None,
    diversity: bool = True,
    bugs: str = "all",
    canaries: bool = False,
    server: bool = False,
    to: Path | None = None,
    faults: bool = False,
    seeds: str = "1-1000",
    script: str | None = None,
    home: Home = None,
) -> int:
    """Play a whole campaign on a surrogate in virtual time: nothing is trained, no model is asked, no time passes.

    Without a file it is the published campaign. With one, or with --task, it says what that campaign would take.
    With --faults, play many small campaigns instead, each under faults that its seed decides, and audit every log.

    Args:
        file: a campaign file whose duration, device hours, cost and queue are wanted; its seed, agents and budget.
        experiments: completed ones after which the campaign ends.
        seed: of everything drawn; the same seed gives the same bytes.
        agents: that propose, each at the paper's cadence.
        devices: that train; of a file, as many as it names; else 16.
        policy: of every agent, by its name in a campaign file; by default two that stand in for the paper's models.
        task: roadsim, nexar or clips: a campaign over that task's space in place of a file.
        lanes: experiments that a device trains at once, of a file or a task.
        run_seconds: that a run of the file or task takes, in the mean.
        like: a campaign that was run, whose runs say how long they take.
        diversity: whether the stand-ins heed the paper's diversity budget.
        bugs: of the paper's four that the instrument has until their dates: all, none, or names such as leak,loss.
        canaries: play it with canaries, and without them at the earliest, the chosen and the latest dates of its bugs;
            say how many misleading runs and GPU-hours they save. Four campaigns, one on each core.
        server: write and read every frame through a nats-server of its own, without a sync for each; the same bytes.
        to: the file to write; by default sim.myriad under the home, forecast-NAME.myriad of a campaign file.
        faults: play small campaigns under faults; exit code 1 when one of them breaks a law.
        seeds: of those campaigns, FIRST-LAST or one number.
        script: of faults in place of what each seed decides: TURN:KIND:PICK, with commas between them.
    """
    if faults:
        from actors.chaos.endurance import endure  # noqa: PLC0415 # heavy

        return endure(seeds, script)
    from actors.virtual.laboratory import Setting  # noqa: PLC0415 # heavy
    from actors.virtual.simulated import checked, claim, play  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    many = 16 if devices is None else devices
    setting = Setting(
        experiments=experiments, seed=seed, agents=agents, devices=many, policy=policy, diversity=diversity
    )
    made, place = checked(setting, bugs), home_of(home)
    if file is not None or task is not None:
        from actors.virtual.forecast import foretold  # noqa: PLC0415 # heavy

        named = many if file is None else devices
        return foretold(file, task, made, devices=named, lanes=lanes, seconds=run_seconds, like=like, home=place, to=to)
    path = to or place / "sim.myriad"
    if canaries:
        from actors.virtual.misled import saved  # noqa: PLC0415 # heavy

        claim(path)
        return saved(made, path)
    return play(made, path, server=server)


def extract(file: Path, *, home: Home = None, headless: bool = False) -> int:
    """Make a campaign's clips and features before it is run; goes on where a killed one stopped.

    Args:
        file: the campaign file.
        headless: plain lines instead of bars.
    """
    from actors.running.extraction import extract as extracted  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    return extracted(file, home_of(home), headless=headless)


def predict(
    campaign: str,
    experiment: str,
    clips: Path | None = None,
    *,
    out: Path | None = None,
    nexar: bool = False,
    device: str = "cpu",
    home: Home = None,
) -> int:
    """Score clips with a run whose weights were kept, into CSV; without clips, score the recorded split again.

    Args:
        campaign: the campaign's name or folder.
        experiment: its id, or champion.
        clips: a folder of videos, or one video.
        out: the CSV file; standard output when it is not given.
        nexar: the competition's columns id and score instead of file and score.
        device: cpu or cuda:N.
    """
    from actors.exports import prediction  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    folder, run = prediction.kept(campaign, experiment, home_of(home))
    if experiment == prediction.BEST and (told := prediction.caution(campaign, run)) is not None:
        print(told, file=sys.stderr)
    if clips is None:
        parts = prediction.again(folder, run, device=device)
        for part in parts:
            same = "the same" if part.again == part.recorded else f"off by {abs(part.again - part.recorded):.1e}"
            print(f"{run.experiment} {part.name:<10} recorded {part.recorded!r}, again {part.again!r}: {same}")
            for lead, value in part.leads.items():
                print(f"  {lead:g} s before the event {value:.4f}")
            if part.leads:
                print(f"  mean over leads {sum(part.leads.values()) / len(part.leads):.4f}")
        return 0 if all(part.again == part.recorded for part in parts) else 1
    said = prediction.predict(run, prediction.found(clips), device=device)
    prediction.written(prediction.table(said.scores, nexar=nexar), out)
    for problem in said.problems:
        print(f"no score: {problem}", file=sys.stderr)
    return 1 if said.problems else 0


def export(
    campaign: str,
    to: Path | None = None,
    *,
    parquet: Path | None = None,
    csv: Path | None = None,
    champion: Path | None = None,
    experiment: str = "champion",
    home: Home = None,
) -> int:
    """Write a campaign into one portable file, verified by whoever opens it; or as open tables; or its champion.

    Args:
        campaign: a name under the home, the path of an archive, or a nats URL.
        to: the file to write, NAME.myriad by custom; it must not be there yet.
        parquet: a folder to make instead: experiments, attempts, curves, ideas, cycles, defects, eras and a data card.
        csv: the same folder with CSV files.
        champion: a folder to make instead: weights, configuration, a loader, and what it says of the recorded split.
        experiment: with --champion, another run whose weights were kept.
    """
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    if sum(wish is not None for wish in (to, parquet, csv, champion)) != 1:
        wishes = "--parquet, --csv or --champion with a folder"
        print(f"myriad: export needs a file to write, or {wishes}, and only one of them", file=sys.stderr)
        return 2
    for form, tables in (("parquet", parquet), ("csv", csv)):
        if tables is not None:
            from actors.exports.publishing import published  # noqa: PLC0415 # heavy

            print(published(campaign, tables, form, home))
    if to is not None:
        from events.doors import export as whole  # noqa: PLC0415 # heavy

        whole(campaign, to, home=home)
    if champion is not None:
        from actors.exports import prediction  # noqa: PLC0415 # heavy
        from actors.exports.champion import take_out  # noqa: PLC0415 # heavy

        folder, run = prediction.kept(campaign, experiment, home_of(home))
        if experiment == prediction.BEST and (told := prediction.caution(campaign, run)) is not None:
            print(told, file=sys.stderr)
        for part in take_out(folder, run, champion):
            print(f"{run.experiment} {part.name:<10} recorded {part.recorded!r}, again {part.again!r}")
        print(f"{champion}: {', '.join(sorted(path.name for path in champion.iterdir()))}")
    return 0


def import_(source: str, *, study: str | None = None, name: str | None = None, home: Home = None) -> int:
    """Make a campaign from a portable file; or from an Optuna study, whose unknowns stay unknown.

    Args:
        source: the file that `myriad export` wrote; or sqlite:///FILE, the file of a database or journal of Optuna.
        study: which of its studies; `name` of the campaign that it becomes is by default the study's own.
    """
    from actors import studies  # noqa: PLC0415 # heavy
    from events.archives.records import is_archive  # noqa: PLC0415 # heavy
    from events.campaigns import home_of  # noqa: PLC0415 # heavy

    if is_archive(Path(source)):
        from events.doors import import_ as whole  # noqa: PLC0415 # heavy

        whole(Path(source), home=home)
        return 0
    print(studies.bring(source, home_of(home), study=study, name=name))
    return 0
