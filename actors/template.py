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
# fleet = "a"                    # whose cameras: those of "b" show each picture twice

# kind = "clips"                 # videos of your own; paths are taken from where myriad is started
# folder = "videos"
# table = "labels.csv"           # columns file, label (1 or 0) and, if there is one, event (seconds into the video)
# leads = [0.5, 1.0, 1.5]        # a clip for each: it ends so many seconds before the event
# split = "split.json"           # your own lists train, validation and test; by content when left out
# strict = false                 # true: one row that cannot be used refuses them all

# kind = "nexar"                 # the Nexar collision data, as published or as the competition has it
# folder = "nexar"               # and leads, split and strict as above

# kind = "command"               # a script of your own, in any language; docs/examples/iris shows how
# run = ["python", "train.py"]
# inputs = ["train.py"]          # files that give its numbers their meaning
# space = "space.toml"           # its dimensions; [space] below may narrow them

[space]                          # narrows the space; whole dimensions stay when they are not named
# backbone = ["appearance", "motion", "image_small", "image_large", "video", "random", "fused"]
#   on videos of your own or Nexar's also "vjepa2", "dinov3_b", "dinov3_l", "dinov2_b", "siglip2", "convnext", "fusion":
#   pip install 'myriad[pretrained]', weights under MYRIAD_MODELS; myriad check says what is missing and how to get it
# encoder = ["zipformer", "retnet"]
# pooling = ["attention", "mean", "last", "max"]
# loss = ["focal", "bce", "label_smoothing"]
# scheduler = ["cosine", "linear", "step"]
# batch = [16, 32, 64, 128]
# length = [8, 12, 16, 20, 32]   # frames at 5 a second, counted back from the clip's end
# epochs = [5, 10, 15, 20, 30]
# learning_rate = [1e-5, 1e-2]   # a continuous dimension: [low, high]

# [widen]                        # new values that an agent may propose for a dimension that is named below
# at_most = 3                    # in all
# [widen.within]
# epochs = [1, 60]               # whole numbers: lowest and highest (batch 2 to 1024, length 2 to 32, epochs 1 to 1000)
# backbone = ["fused"]           # words: those that [space] left out and that may come all the same

[bans]                           # shapes (backbone, encoder, batch, length) that the scheduler leaves alone for a while
# after = 3                      # when so many of one were given up and none completed; 0 for never
# cycles = 50                    # of all agents, until the ban ends; it ends before when one of them completes

[network]                        # one size for the whole campaign
# width = 64                     # a multiple of twice the heads
# layers = 2
# heads = 4

[budget]                         # the campaign ends at the first limit that it reaches
experiments = 200                # completed ones
# gpu_hours = 10.0               # device time of attempts and trials of patches, reserved at its worst before it begins
# hours = 24.0                   # wall time: an attempt begins only where its time-out ends within it
# timeout = 600.0                # seconds after which an attempt is killed
# attempts = 3                   # spoiled ones after which an experiment is abandoned: it broke, or its worker was lost
                                 # in it; out of memory does not count where the next attempt slices its batches finer
# fruitless = 25                 # experiments given up in a row, each begun after the last one that completed
# usd = 20.0                     # for calls of models, reserved at their worst case before they begin

[workers]
# devices = ["cpu", "cpu"]       # one worker each, "cuda:0" for a GPU; one CPU worker a core when left out
# silence = 10.0                 # seconds without a sign of life after which a worker is lost
# memory = 4096                  # MiB that a training process may take; no limit when left out

[analysis]
# every = 10                     # completed experiments between two measurements
# controls = true                # hold the champion against shuffled labels and a linear model at the end

# [champion]
# repeats = 3                    # other seeds under which who leads at the end is run: it is a candidate until then; 0
                                 # leaves that to you (myriad rerun NAME EXPERIMENT --seeds 3)

[base]                           # what a model's idea leaves out, and its parent does not have; the middle values else
# dropout = 0.1

[[agent]]                        # as many as you like
name = "tpe"
policy = "tpe"                   # tpe | uniform | claude | gemini
# ideas = 4                      # proposed in a cycle; a model is asked for one fewer to one more
sweep = 2                        # variants of the best results, added to them; 21 makes about 25 candidates a cycle
# backlog = 4                    # asks again when fewer ideas of its own than this wait to run
# every = 0.0                    # seconds from the start of one cycle to that of the next, at least

[[agent]]
name = "uniform"
policy = "uniform"

# Agents that ask models. Keys come from the environment alone: ANTHROPIC_API_KEY; GEMINI_API_KEY or GOOGLE_API_KEY.
# [[agent]]
# name = "claude"
# policy = "claude"
# model = "claude-opus-5"
# usd = 10.0                     # for this agent; without it budget.usd alone holds
# max_tokens = 8192              # of one answer, the model's thinking among them
# tries = 3                      # calls for one question, and for the one correction that an answer may need
# timeout = 300.0                # seconds a call
# temperature = 1.0              # the provider's own when left out; newer Claude models take none
# base_url = "http://127.0.0.1:8080"    # another server of the same protocol
# rules = "Change one thing at a time."
# without = ["genealogy"]        # leaderboard | distribution | failures | bans | genealogy | schema | rules | diversity

# [[agent]]
# name = "gemini"
# policy = "gemini"
# model = "gemini-2.5-pro"
# usd = 10.0

# What becomes of a crash in the code that trains: without a policy it is tried again, and given up in the end.
# [fixer]
# policy = "none"                # none | claude | gemini: asked for a diagnosis and a small patch, with the trace
# adopt = "ask"                  # ask: a patch that held in its trial waits for you; auto: everybody trains with it
# attempts = 3                   # questions about one crash, and about all crashes at one place
# model = "claude-opus-5"
# usd = 5.0                      # for the fixer; without it budget.usd alone holds
# max_tokens = 8192              # and base_url, tries, timeout and temperature as for an agent

[prices."claude-opus-5"]         # US dollars per million tokens, pinned: look them up, providers change them
input = 5.0
output = 25.0
cached = 0.5                     # read from the provider's cache; as input when left out
write = 6.25                     # kept in it; without this price Claude is not asked to keep what never changes

[prices."gemini-2.5-pro"]
input = 1.25
output = 10.0
cached = 0.125
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
