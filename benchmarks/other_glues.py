"""What another glue does to a population, as a contrast with what that population has without it.

    python -m benchmarks.other_glues [--replicates 60] [--patients 300] [--seed 7]

Every virtual trial has a draw of the clinical posterior and of what the glue's file does not know. Contrasts
are the difference of log odds of response and the log ratio of times to progression (as a log hazard ratio)
of two arms of the same trial. Where the arm without the glue is published, the contrast is put on its
published level. A glue without an affinity or a fraction unbound is not run, and named. Prints Markdown and,
last, the SHA-256 of the rows; docs/predictions.md holds them.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.prognosis import levels
from glueprint import trials
from glueprint.calibration import clinical
from glueprint.errors import GlueprintError
from glueprint.mechanism import Compound, compounds
from glueprint.trials import Protocol
from glueprint.trials.protocol import Arm, Drug

# Published levels of arms of dexamethasone alone: response (%), median time to progression (months), claims.
ANCHORS = {
    "MM-009 and MM-010": (21.9, 4.6, "PRG055, PRG053"),
    "APEX": (18.0, 3.5, "PRG101, PRG100"),
}
WIDTH = (0.5, 0.025, 0.975)


@dataclass(frozen=True)
class Question:
    """Which arm against which, in whom. anchored: whether the arm without the glue is published."""

    plan: Protocol
    population: str
    anchored: bool


def beside_dexamethasone(glue: Compound, dose_mg: float) -> Question:
    """High-dose dexamethasone with the glue on days 1 to 21 and without, in one to three lines, nobody
    refractory."""
    plan = trials.load_protocol("mm003")
    dex = next(arm for arm in plan.arms if arm.name == "HiDEX")
    lines = plan.case_mix.prior_lines.model_copy(update={"low": 1.0, "high": 3.0})
    mix = plan.case_mix.model_copy(update={"prior_lines": lines, "refractoriness": levels(none=1.0)})
    plan = _of_two(plan, _arm(f"{glue.name} {dose_mg:g} mg + dex", _drug(glue, dose_mg), *dex.drugs), dex)
    return Question(plan.model_copy(update={"case_mix": mix}), "1 to 3 lines, nobody refractory", True)


def alone(glue: Compound, dose_mg: float) -> Question:
    """The glue alone against pomalidomide alone, in the patients of MM-002."""
    plan = trials.load_protocol("mm002")
    other = next(arm for arm in plan.arms if arm.name == "POM")
    mine = _arm(f"{glue.name} {dose_mg:g} mg", _drug(glue, dose_mg))
    return Question(_of_two(plan, mine, other), "those of MM-002", False)


def _drug(glue: Compound, dose_mg: float) -> Drug:
    return Drug(compound=glue, dose_mg=dose_mg, days="1-21", rules="none")


def _arm(name: str, *drugs: Drug) -> Arm:
    return Arm(name=name, patients=1, drugs=drugs)


def _of_two(plan: Protocol, mine: Arm, other: Arm) -> Protocol:
    """A trial of two arms without later treatment, in patients of another."""
    even = plan.randomisation.model_copy(update={"ratio": (1, 1), "blocks_of": 2, "strata": ()})
    arms = (mine, _arm(other.name, *other.drugs))
    return plan.model_copy(update={"name": "contrast", "arms": arms, "randomisation": even})


def contrasts(asked: Question, replicates: int, patients: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) differences of log odds of response, and log hazard ratios of time to progression."""
    plan = asked.plan.model_copy(
        update={"arms": tuple(arm.model_copy(update={"patients": patients}) for arm in asked.plan.arms)}
    )
    draws = clinical.posterior().for_trial(plan, count=replicates, seed=seed)
    table = trials.run(plan, replicates, seed, draws=draws).endpoints
    mine, other = (arm.name for arm in plan.arms)
    odds = []
    for arm in (mine, other):
        row = table.filter(arm=arm, endpoint="orr").sort("replicate")
        events, n = row["events"].to_numpy(), row["n"].to_numpy()
        odds.append(np.log((events + 0.5) / (n - events + 0.5)))
    ratio = table.filter(arm=f"{mine} vs {other}", endpoint="hr_ttp").sort("replicate")
    return odds[0] - odds[1], np.log(ratio["value"].to_numpy())


def rows(replicates: int, patients: int, seed: int) -> Iterator[str]:
    """One row per contrast and published level, then what is refused."""
    lenalidomide = compounds.load("lenalidomide")
    for one in (beside_dexamethasone(lenalidomide, 25.0), alone(lenalidomide, 25.0)):
        response, time = contrasts(one, replicates, patients, seed)
        mine, other = (arm.name for arm in one.plan.arms)
        told = f"| {mine} against {other} | {one.population} "
        told += f"| {_between(np.exp(response))} | {_between(np.exp(time))}"
        if not one.anchored:
            yield f"{told} | | | |"
            continue
        for place, (rate, months, claims) in ANCHORS.items():
            odds = np.log(rate / (100.0 - rate)) + response
            level = f"{place}: {rate:g} %, {months:g} months ({claims})"
            shown = _between(100.0 / (1.0 + np.exp(-odds)), ".0f"), _between(months * np.exp(-time), ".1f")
            yield f"{told} | {level} | {' | '.join(shown)} |"
    for name in ("thalidomide", "avadomide", "iberdomide", "mezigdomide"):
        try:
            trials.run(beside_dexamethasone(compounds.load(name), 1.0).plan, 1, seed)
        except GlueprintError as error:
            yield f"| {name} | refused: {str(error).splitlines()[0]} |"


def _between(values: np.ndarray, form: str = ".2f") -> str:
    middle, low, high = (format(float(np.quantile(values, level)), form) for level in WIDTH)
    return f"{middle} ({low} to {high})"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    found = list(rows(given.replicates, given.patients, given.seed))
    print("\n".join(found))
    print("SHA-256", hashlib.sha256("\n".join(found).encode()).hexdigest())


if __name__ == "__main__":
    main()
