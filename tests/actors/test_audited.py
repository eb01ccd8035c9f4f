"""What the real roles write, whatever befalls them, breaks no law of the audit."""

from __future__ import annotations

from typing import Any

import pytest

from events.blobs import Blobs
from replay.audit import audit
from tests.actors.test_company import luck
from tests.actors.test_rehearsal import under_its_file
from tests.actors.test_whatif import played

BEFALLEN: dict[str, dict[str, Any]] = {
    "good luck": {},
    "bad luck": {"outcome": luck(0.5)},
    "a lost worker": {"losing": True, "outcome": luck(0.2)},
    "four lanes": {"lanes": 4, "outcome": luck(0.3)},
}


@pytest.mark.parametrize("name", BEFALLEN)
def test_a_company_keeps_every_law(name: str, blobs: Blobs) -> None:
    made = audit(under_its_file(played(blobs, **BEFALLEN[name]).log))
    assert [ruling.breaches for ruling in made.rulings if ruling.breaches] == []
    assert made.verdict == "held"


def test_a_company_that_lost_a_worker_puts_the_laws_of_leases_to_the_test(blobs: Blobs) -> None:
    made = audit(under_its_file(played(blobs, losing=True).log))
    held = {ruling.law: ruling.held for ruling in made.rulings}
    assert held["leases are taken only from who left"] > 0
    assert held["a revoked lease is silent"] > 0
