import os
import subprocess
import sys
from pathlib import Path

import pytest

from replay.digest import SCHEME

ROOT = Path(__file__).parents[2]

TELL = """
import msgspec
from events import facts
from replay.era_report import era_report
from replay.statistics.findings import FINDINGS
from replay.metrics import METRICS, metric
from replay.report import report
from replay.taint import taint
from tests.replay import tales
c = tales.busy(60)
measurement = tales.measured(c)
c.seals(measurement.digest())
print(hash("premise"))
print(measurement.digest())
print(sorted(measurement.values().items()))
print(msgspec.json.encode(report(c.log)).decode())
for name in (*METRICS, *FINDINGS):
    print(msgspec.json.encode(metric(measurement, name)).decode())
found = facts.DefectFound(defect="d-1", component="pooling", where="pooling in (last, mean)", reason="")
c.says("person-test", "defect", "d-1", found)
print(msgspec.json.encode(taint(c.log)).decode())
print(msgspec.json.encode(era_report(tales.measured(c).ledger)).decode())
"""


def told(seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    premise, _, rest = done.stdout.partition("\n")
    return premise, rest


def differing(seeds):
    """Return what was told under the first seed, having checked that each seed hashes otherwise and tells the same."""
    answers = [told(seed) for seed in seeds]
    assert len({premise for premise, _ in answers}) == len(answers)
    assert len({rest for _, rest in answers}) == 1
    return answers[0][1]


def test_six_hash_seeds_give_one_digest_one_report_and_one_of_each_metric():
    assert f"{SCHEME}:" in differing(range(6))


@pytest.mark.prove
def test_thirty_two_hash_seeds_give_one_digest_one_report_and_one_of_each_metric():
    assert f"{SCHEME}:" in differing(range(32))


def test_a_door_loads_no_tensor_server_or_plot_before_it_is_opened():
    heavy = "('numpy', 'scipy', 'torch', 'nats', 'matplotlib')"
    ask = f"import sys, replay.doors; print(*[module for module in {heavy} if module in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
