"""What no person can have: limits of covariates, doses and times beyond which a request is refused.

They are wide on purpose. Within them a protocol may still lie far outside of what the model was fitted to,
which `domain` says.
"""

from __future__ import annotations

from collections.abc import Iterator

from glueprint.errors import GlueprintError, InputError, together
from glueprint.trials.protocol.case_mix import Levels
from glueprint.trials.protocol.document import Protocol

__all__ = ["CODE", "LIMITS", "MOST_MG", "OLDEST_Y", "numbers_are_of_people"]

CODE = "GP-T081"
OLDEST_Y = 122.5  # the longest life on record, 122 years and 164 days
# No medicine is swallowed by the hundred grams; the bulkiest oral ones are some tens of grams a day.
MOST_MG = 100_000.0
# Covariate -> lowest and highest value of a living person, in the unit of its name. Own judgement: each
# side lies beyond the extremes that case reports print, so that only a slip of a unit or a zero ends there.
LIMITS: dict[str, tuple[float, float]] = {
    "age_y": (1.0, OLDEST_Y),
    "weight_kg": (5.0, 650.0),
    "total_protein_g_per_l": (20.0, 250.0),
    "creatinine_clearance_ml_per_min": (1.0, 400.0),
    "anc_1e9_per_l": (0.01, 200.0),
    "platelets_1e9_per_l": (1.0, 3000.0),
    "haemoglobin_g_per_dl": (1.0, 26.0),
    "m_protein_g_per_l": (0.01, 200.0),
    "prior_lines": (0.0, 50.0),
    "death_hazard_ratio": (1e-3, 1e3),
    "albumin_g_per_l": (4.0, 80.0),
    "beta2_microglobulin_mg_per_l": (0.1, 300.0),
    "crbn_level": (1e-3, 1e3),
}


def numbers_are_of_people(protocol: Protocol, where: str) -> None:
    """GP-T081: no covariate, dose or follow-up that no person can have; all of them at once."""
    findings: list[GlueprintError] = list(_findings(protocol, where))
    if findings:
        raise together(findings)


def _findings(protocol: Protocol, where: str) -> Iterator[InputError]:
    for name in protocol.case_mix.names:
        mine, (low, high) = getattr(protocol.case_mix, name), LIMITS.get(name, (0.0, 0.0))
        if not isinstance(mine, Levels) and not low <= mine.low < mine.high <= high:
            asked = f"{mine.low:g} to {mine.high:g}"
            yield _impossible(asked, f"{where}, case_mix.{name}", f"limits within {low:g} to {high:g}")
    for place, arm in enumerate(protocol.arms):
        for drug in arm.all_drugs:
            if drug.most_mg > MOST_MG:
                field = f"{where}, arms[{place}].drugs"
                yield _impossible(f"{drug.most_mg:g} mg of {drug.name}", field, f"at most {MOST_MG:g} mg")
    months, youngest = protocol.follow_up.maximum_months, protocol.case_mix.age_y.low
    if youngest + months / 12.0 > OLDEST_Y:
        asked = f"{months:g} months of follow-up, when the youngest is {youngest + months / 12.0:.0f}"
        yield _impossible(
            asked, f"{where}, follow_up.maximum_months", f"nobody older than {OLDEST_Y:g} years"
        )


def _impossible(asked: str, where: str, expected: str) -> InputError:
    return InputError(
        CODE,
        f"{asked}: no person has that",
        where=where,
        expected=expected,
        next_step="look for a slip of a unit or of a zero; the unit is in the field's name",
    )
