"""What each measure is held against: the value that it would have if there were nothing to see, in a sentence."""

from __future__ import annotations

from replay.pages.tables import folded

NULLS: dict[str, str] = {
    "leaderboard": "a lead within the noise of both runs is none",
    "running_best": "any order of the same runs rises too; see pools for what a shuffled one reaches",
    "innovation": "exchangeable runs improve H_n = 1 + 1/2 + ... + 1/n times; see innovation_law for p",
    "entropy": "a uniform search reads log2 of the window or of the cells, whichever is less, a fixed one 0 bits",
    "entropy_proposed": "as entropy: log2 of the window or of the cells for a uniform search, 0 bits for a fixed one",
    "divergence": "agents of one habit diverge by 0 bits, and in short windows by more, through sampling alone",
    "agents": "none: counts and sums",
    "importance": "a share whose interval touches 0; sampled is the policy's share, uniform the space's",
    "anova": "groups of one mean: eta2 about (groups - 1) / (n - 1), omega2 0, F about 1; p says how far from it",
    "two_way": "groups of one mean: F about 1 for each term",
    "ablations": "two values whose intervals overlap are not told apart",
    "shares": "a value that makes no difference has the same share of the best, of the worst and of all",
    "heat_map": "none: means and counts; see anova for whether the cells differ",
    "fits": "the rival curves, by AIC and BIC; see fit_null for the R2 of shuffled orders",
    "fit_null": "1,000 shuffled orders of the same runs",
    "pools": "the expectation over all orders of the same runs",
    "policies": "the shuffled pool, for whoever runs the pool; runs drawn at random, for whoever makes its own",
    "innovation_law": "exchangeable runs: k = alpha = 1, likelihood ratio with two degrees of freedom",
    "phases": "sampling noise of separate windows; a change within it is level",
    "log_ratio": "none that the author states; R2 of each slope's fit is beside it",
    "divergence_decay": "agents of one habit: a constant near 0 bits",
    "sweeps": "a ratio of 1: sweeps are dealt at random among the runs; p is exact",
    "validation_test": "no correlation: rho 0; inside the groups, that of the whole",
    "attribution": "independence: corrected V of 0",
    "coverage": "none: counts of cells",
    "leaders": "the same share of an origin among all runs; see sweeps for the test of it",
    "first_uses": "none: dates and counts",
    "genealogy": "by_chance: how often any run of the campaign would beat the same parents; rho 0 for depth",
    "piecewise": "as many borders at random places, by p; and the single law, by AIC and BIC",
    "era_gains": "border_null: the first ten drawn from the era before, as if its border changed nothing",
    "cost": "an agent that finds as often as the others pays as much for an improvement as all together",
    "utilisation": "1: a device that trains from joining to leaving",
    "sections": "a section without effect: cycles of one model dealt anew to told and untold differ as much, by p",
    "mended": "none: what a plain retry would have mended is not known",
}

COUNTED = "none: a named value as it was counted"


def null_of(name: str) -> str:
    """Return what a measure is held against."""
    return NULLS.get(name, COUNTED)


def nulls_page() -> str:
    """Return every measure's name with what it is held against, as text for a terminal."""
    lines = [f"{name}: {null}" for name, null in NULLS.items()]
    return folded(["Measures, each with its null; named values, as `completed`, are measures too", *lines], indent=2)
