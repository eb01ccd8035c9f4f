"""The campaign file that `myriad new` writes: every key, its default, and what it means."""

from __future__ import annotations

from pathlib import Path

from actors.errors import CampaignError

TEMPLATE = """\
# A Myriad campaign. Every key is here; those behind a '#' show their default.
# myriad check {name}.toml    validates this file, tries one run, and spends nothing
# myriad run {name}.toml      starts the campaign, or resumes it

name = "{name}"                  # names the folder campaigns/{name} and the log
# seed = 1                       # every draw of the campaign follows from it

[task]
# kind = "roadsim"               # a simulated road: short clips as mp4 files, labels by physics
# clips = 600                    # split 1184 : 177 : 139 into training, validation and test, by content
# seed = 7                       # of the clips; the same seed, the same pixels

[space]                          # narrows the space; whole dimensions stay when they are not named
# backbone = ["appearance", "motion"]
# encoder = ["zipformer", "retnet"]
# pooling = ["attention", "mean", "last", "max"]
# loss = ["focal", "bce", "label_smoothing"]
# scheduler = ["cosine", "linear", "step"]
# batch = [16, 32, 64, 128]
# length = [8, 12, 16, 20, 32]   # frames at 5 a second, counted back from the clip's end
# epochs = [5, 10, 15, 20, 30]
# learning_rate = [1e-5, 1e-2]   # a continuous dimension: [low, high]

[network]                        # one size for the whole campaign
# width = 64                     # a multiple of twice the heads
# layers = 2
# heads = 4

[budget]                         # the campaign ends at the first limit that it reaches
experiments = 200                # completed ones
# gpu_hours = 10.0               # device time of every attempt, reserved at its time-out before it starts
# hours = 24.0                   # wall time; stops new work only
# timeout = 600.0                # seconds after which an attempt is killed
# attempts = 3                   # after which an experiment is abandoned

[workers]
# devices = ["cpu", "cpu"]       # one worker each, "cuda:0" for a GPU; one CPU worker a core when left out
# silence = 10.0                 # seconds without a sign of life after which a worker is lost
# memory = 4096                  # MiB that a training process may take; no limit when left out

[analysis]
# every = 10                     # completed experiments between two measurements
# controls = true                # hold the champion against shuffled labels and a linear model at the end

[[agent]]                        # as many as you like
name = "tpe"
policy = "tpe"                   # tpe | uniform
# ideas = 4                      # proposed in a cycle
sweep = 2                        # variants of the best results, added to them
# backlog = 4                    # asks again when fewer ideas of its own than this wait to run

[[agent]]
name = "uniform"
policy = "uniform"
"""


def write(file: Path) -> None:
    """Write the template, the campaign named after the file.

    Raises:
        CampaignError: the file is there already, or cannot be written.
    """
    try:
        with file.open("x") as opened:
            opened.write(TEMPLATE.format(name=file.stem))
    except FileExistsError:
        raise CampaignError(f"{file} is there already; nothing was changed") from None
    except OSError as error:
        raise CampaignError(f"{file} cannot be written: {error.strerror}") from None
