"""The self-test looks at everything, finds what is broken, and says so to people, to programs and by its exit code."""

import json
from dataclasses import fields, replace

import pytest
import torch

from kernels import doors, selftest
from kernels.canaries import suite
from kernels.encoders import ENCODERS
from kernels.errors import WrongDevice
from kernels.operations.forms import FAST, Forms
from kernels.wiring import stages


def test_every_operation_and_every_encoder_is_looked_at_and_holds_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert doors.selftest(device="cpu", json=True) == 0
    told = json.loads(capsys.readouterr().out)
    names = {check["name"] for check in told["checks"]}
    assert names == {field.name for field in fields(Forms)} | set(ENCODERS)
    assert all(check["held"] and check["problem"] is None for check in told["checks"])
    tiled = {check["name"] for check in told["checks"] if check["claim"] == "agrees as interpreted tiles"}
    assert tiled == (set() if told["platform"]["triton"] == "none" else {"scan", "slstm"})
    assert told["platform"]["device"] == "cpu"
    assert {canary["name"] for canary in told["canaries"]} == {
        "split",
        "law",
        "sameness",
        "stage",
        "dimension",
        "shuffled_labels",
        "planted_signal",
    }
    assert all(canary["problem"] is None for canary in told["canaries"])
    seen = {canary["subject"]: canary["seen"] for canary in told["canaries"] if canary["name"] == "dimension"}
    assert set(seen) == {*stages(), "seed"}
    assert all(number > 0 for number in seen.values())


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Leaves out the encoders, the canaries, and all operations but some."""
    monkeypatch.setattr(suite, "canaries", lambda device, *, seed: iter(()))
    monkeypatch.setattr(selftest, "ENCODERS", {})
    monkeypatch.setattr(selftest, "fields", lambda kind: [field for field in fields(kind) if field.name in names])


def test_a_wrong_operation_is_found_and_the_others_are_not_blamed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, "swoosh_l", "swoosh_r")
    monkeypatch.setattr(selftest, "FAST", replace(FAST, swoosh_l=lambda x: FAST.swoosh_l(x) * (1 + 1e-5)))
    assert doors.selftest(device="cpu") == 1
    told = capsys.readouterr().out
    assert "\n- swoosh_l" in told
    assert "\n+ swoosh_r" in told
    assert "1 of 2 claims hold" in told


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "layer_norm")
    stopped = replace(FAST, layer_norm=lambda x, e: FAST.layer_norm(x, e).detach() + 0 * x)
    monkeypatch.setattr(selftest, "FAST", stopped)
    (check,) = selftest.checks("cpu")
    assert not check.held


def test_a_gradient_that_is_not_a_number_at_one_length_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "layer_norm")

    def poisoned(x: torch.Tensor, epsilon: float) -> torch.Tensor:
        y = FAST.layer_norm(x, epsilon)
        if x.shape[2] == 20:
            y.register_hook(lambda gradient: gradient * torch.nan)
        return y

    monkeypatch.setattr(selftest, "FAST", replace(FAST, layer_norm=poisoned))
    (check,) = selftest.checks("cpu")
    assert not check.held


def test_an_operation_that_raises_or_is_not_a_number_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, "swoosh_l", "swoosh_r")

    def broken(x: torch.Tensor) -> torch.Tensor:
        raise ArithmeticError("no such curve")

    monkeypatch.setattr(
        selftest, "FAST", replace(FAST, swoosh_l=broken, swoosh_r=lambda x: FAST.swoosh_r(x) * torch.nan)
    )
    assert doors.selftest(device="cpu", json=True) == 1
    one, other = json.loads(capsys.readouterr().out)["checks"]
    assert (one["problem"], one["error"], one["held"]) == ("ArithmeticError: no such curve", None, False)
    assert (other["problem"], other["error"], other["held"]) == (None, None, False)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(WrongDevice, match="allowed: cpu, cuda"):
        list(selftest.checks("abacus"))
    if not torch.cuda.is_available():
        with pytest.raises(WrongDevice, match="sees no GPU here"):
            list(selftest.checks("cuda"))
