"""Dose and schedule questions: variants of one arm in the same patients, efficacy beside neutropenia."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.runs.progress import silent
from glueprint.trials.analysis import existing, finite, order_statistics
from glueprint.trials.patients import ParameterDraws, check_draws
from glueprint.trials.protocol import (
    NO_RULES,
    DoseRules,
    Protocol,
    Variant,
    apply,
    arm_of,
    compound_of,
    lone,
    outside,
)
from glueprint.trials.result import CALIBRATED, EXTRAPOLATED, MOST_PROBABLE, PREDICTED, TYPICAL
from glueprint.trials.running import Group, check_counts, collected, run_group, units_of

__all__ = ["SWEPT", "Sweep", "SweepSettings", "differences", "sweep"]

Floats = NDArray[np.float64]
Progress = Callable[[float], None]

SWEPT = (
    "orr", "median_pfs", "median_os", "neutropenia_grade_3_4", "neutropenia_grade_4", "dose_interruption",
    "dose_reduction", "mean_relative_dose_intensity",
)  # fmt: skip
SCHEMA = {
    "variant": pl.String, "reference": pl.Boolean, "dose_mg": pl.Float64, "days": pl.String,
    "rules": pl.String, "gcsf": pl.String, "conditions": pl.String, "crcl_low_ml_per_min": pl.Float64,
    "crcl_high_ml_per_min": pl.Float64, "endpoint": pl.String, "unit": pl.String, "value": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "difference": pl.Float64, "difference_low": pl.Float64,
    "difference_high": pl.Float64, "replicates": pl.Int64, "not_reached": pl.Int64, "label": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class SweepSettings:
    """How a sweep is computed.

    patients: of each variant in each replicate, the arm's own number if None.   gcsf_fold,
    gcsf_below_1e9_per_l: as in `variants.apply`.   draws: parameters, a row per replicate, the typical ones
    if None.   workers: processes; the result does not depend on it.
    """

    replicates: int = 20
    seed: int = 1
    patients: int | None = None
    gcsf_fold: float | None = None
    gcsf_below_1e9_per_l: float | None = None
    draws: ParameterDraws | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        patients = 1 if self.patients is None else self.patients
        check_counts(replicates=self.replicates, workers=self.workers, patients=patients, seed=self.seed)


@dataclass(frozen=True)
class Sweep:
    """Variants of an arm, each run in the same patients with the same chance.

    table: a row per variant and endpoint: what the variant gives, the endpoint's median over the replicates
    with their middle 95 %, and the difference to the reference replicate by replicate, in the unit of the
    endpoint. The reference is the arm as written.   replicates: trials of each variant.
    """

    protocol: Protocol
    arm: str
    compound: str
    settings: SweepSettings
    table: pl.DataFrame

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants in their order."""
        return tuple(self.table.get_column("variant").unique(maintain_order=True))


@dataclass(frozen=True)
class _Case:
    name: str
    protocol: Protocol
    reference: bool


def sweep(
    protocol: Protocol,
    variants: Sequence[Variant],
    *,
    arm: str,
    compound: str | None = None,
    settings: SweepSettings | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run variants of one arm in the same patients and compare each with the arm as written.

    variants: such as those of `variants.grid`; the arm as written is put first if it is not among them.
    compound: whose dose and days vary; the arm's glue if None.   progress: called with the share done.
    Raises InputError GP-T070 to GP-T076 for variants that cannot be, GP-T077 if none differs from the arm.
    Source: common random numbers; own derivation, docs/trials.md, "Dose and schedule questions".

    >>> from glueprint.trials import SweepSettings, grid, load_protocol
    >>> how = SweepSettings(replicates=1, patients=4)
    >>> sweep(load_protocol("mm003"), grid(dose_mg=[2]), arm="POM+LoDEX", settings=how).arm
    'POM+LoDEX'
    """
    how = settings or SweepSettings()
    if (how.gcsf_fold, how.gcsf_below_1e9_per_l) != (None, None):
        _gives_gcsf(variants)
    chosen = arm_of(protocol, arm)
    about = compound_of(chosen, compound)
    cases = _cases(lone(protocol, chosen, how.patients), about, variants, how)
    if how.draws:
        check_draws(how.draws)
    work = [
        unit for case in cases for unit in units_of(case.protocol, how.replicates, how.seed, draws=how.draws)
    ]
    found = collected(_endpoints, work, how.workers, progress or silent)
    label = how.draws.label if how.draws else TYPICAL
    rows = []
    reference = next(place for place, case in enumerate(cases) if case.reference)
    by_case = [found[place * how.replicates : (place + 1) * how.replicates] for place in range(len(cases))]
    base = pl.concat(by_case[reference])
    for case, tables in zip(cases, by_case, strict=True):
        told = label if case.reference else label_of_variant(case.protocol, label, how.draws)
        rows += _rows(case, pl.concat(tables), base, {"label": told} | _facts(case.protocol, about))
    return Sweep(protocol, arm, about, how, pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def _gives_gcsf(variants: Sequence[Variant]) -> None:
    """GP-T074: a level of G-CSF is for variants that give it."""
    if all(variant.gcsf in (None, "none") for variant in variants):
        raise InputError(
            "GP-T074",
            "a level or a start of G-CSF, which no variant gives",
            where="gcsf",
            expected="a variant with G-CSF, secondary or primary",
            next_step="add --gcsf secondary, or leave --gcsf-fold and --gcsf-below out",
        )


def label_of_variant(protocol: Protocol, label: str, draws: ParameterDraws | None) -> str:
    """How a variant is to be read: only the arm as written was ever fitted to anything.

    label: of the arm as written.
    """
    if label not in (CALIBRATED, PREDICTED, EXTRAPOLATED):
        return label
    if draws is None or len(draws.values) == 1:
        return MOST_PROBABLE
    return EXTRAPOLATED if outside(protocol) else PREDICTED


def _cases(written: Protocol, compound: str, variants: Sequence[Variant], how: SweepSettings) -> list[_Case]:
    """The variants that differ, each once, with the arm as written among them."""
    cases: list[_Case] = []
    for variant in variants:
        changed = apply(
            written,
            compound,
            variant,
            gcsf_fold=how.gcsf_fold,
            gcsf_below_1e9_per_l=how.gcsf_below_1e9_per_l,
        )
        same = changed == written
        name = f"{variant} (as written)" if same and variant != Variant() else str(variant)
        if all(case.protocol != changed for case in cases):
            cases.append(_Case(name, changed, same))
    if not any(case.reference for case in cases):
        cases.insert(0, _Case(str(Variant()), written, True))
    if len(cases) == 1:
        raise InputError(
            "GP-T077",
            f'nothing to compare with arm "{written.arms[0].name}" as written',
            where=written.name,
            expected="a dose, days, rules, G-CSF, a condition or a renal function that the protocol has not",
            next_step="give at least one, such as --dose-mg 2,4 or --days 1-28",
        )
    return cases


def _endpoints(group: Group) -> list[pl.DataFrame]:
    """What a sweep keeps of trials that are conducted at once."""
    return [done.tables[2].filter(pl.col("endpoint").is_in(SWEPT)) for done in run_group(group)]


def _facts(protocol: Protocol, compound: str) -> dict[str, object]:
    (arm,) = protocol.arms
    drug = next(drug for drug in arm.drugs if drug.name == compound)
    clearance = protocol.case_mix.creatinine_clearance_ml_per_min
    return {
        "dose_mg": drug.dose_mg,
        "days": drug.days,
        "rules": drug.rules.name if isinstance(drug.rules, DoseRules) else drug.rules or NO_RULES,
        "gcsf": protocol.supportive_care.gcsf,
        "conditions": ", ".join(arm.conditions),
        "crcl_low_ml_per_min": clearance.low,
        "crcl_high_ml_per_min": clearance.high,
    }


def _rows(
    case: _Case, mine: pl.DataFrame, base: pl.DataFrame, facts: dict[str, object]
) -> list[dict[str, object]]:
    """Each endpoint of a variant with its difference to the reference."""
    rows = []
    for endpoint in SWEPT:
        part, other = (
            existing(table.filter(pl.col("endpoint") == endpoint)).select("replicate", "value", "unit")
            for table in (mine, base)
        )
        values = part.get_column("value").to_numpy()
        paired = part.join(other, on="replicate", suffix="_base", maintain_order="left")
        difference = differences(paired.get_column("value"), paired.get_column("value_base"))
        middle, low, high = map(finite, order_statistics(values))
        apart, apart_low, apart_high = map(finite, order_statistics(difference))
        rows.append(
            {
                "variant": case.name, "reference": case.reference, **facts, "endpoint": endpoint,
                "unit": mine.filter(pl.col("endpoint") == endpoint).get_column("unit").first(),
                "value": middle, "low": low, "high": high, "difference": apart,
                "difference_low": apart_low, "difference_high": apart_high, "replicates": values.size,
                "not_reached": int(np.isinf(values).sum()),
            }
        )  # fmt: skip
    return rows


def differences(values: pl.Series, base: pl.Series) -> Floats:
    """(n,) differences; where neither was reached nothing is known of one, and it is left out."""
    pairs = [(a, b) for a, b in zip(values, base, strict=True) if math.isfinite(a) or math.isfinite(b)]
    return np.array([a - b for a, b in pairs], dtype=np.float64)
