"""Does the quality layer see what goes wrong on a bench, and is it silent where nothing does?

    python -m benchmarks.quality [--twins 200] [--large 0] [--clean 400] [--only dead_vehicle] [--json]

Twins of assays are contaminated one at a time: an outlier well, a bad standard, a dose off by two, a gradient
of 30 % across the columns, a dead vehicle well. The size of a shift is in standard errors of its residual:
of the readings and of what the rest of the clean curve expects of them (which is little where they alone hold
the curve); of a gradient in those of its slope. A shift beyond five should be flagged; a dose doubled on a
plateau shifts nothing and cannot be seen. With `--large` twins are drawn until so many shifts are beyond
five, and doses that shift less are not analysed. Clean twins should have no warning of the layer.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import curves
from glueprint.assays import elisa, growth, layout, polarization
from glueprint.assays.findings import Finding
from glueprint.assays.growth import potencies
from glueprint.assays.growth.reading import Culture, cultures
from glueprint.assays.plate import Plate
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings
from glueprint.assays.quality import logistics, outliers
from glueprint.assays.twins import elisa as elisa_twin
from glueprint.assays.twins import fp as fp_twin
from glueprint.assays.twins import growth as growth_twin
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.plate_reads import as_plate

SEED = 20261130
# Shifts beyond this many residual standard errors should be seen.
SEEN = 5.0
GRADIENT, DEAD = 0.3, 1.0 / 20.0
# An outlier well holds this much of what it should, or the inverse: evenly on the logarithm.
FACTORS = (1.2, 5.0)
GROWTH = growth_twin.Truth(doubling_time_h={"line A": 30.0}, experiments=1)
FP = fp_twin.Truth(ki_nm={"glue": 156.6})
ELISA = elisa_twin.Truth(donors=1)
# Findings of the layer.
CODES = (
    "GP-A051",
    "GP-A077",
    "GP-A091",
    "GP-A243",
    "GP-A244",
    "GP-A245",
    "GP-A246",
    "GP-A247",
    "GP-A248",
    "GP-A249",
    "GP-A250",
)
# Findings of a dose, and of a curve that misses its doses.
OF_CURVES = ("GP-A244", "GP-A249")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tried:
    """One contaminated twin: the size of the shift in residual standard errors, whether it was seen, and
    whether by its own name (else by that of its neighbour, or of its curve)."""

    size: float
    seen: bool
    named: bool


def told(size: float, name: bool, *, beside: bool = False) -> Tried:
    """A twin that was seen by its name, or else by what stands beside it."""
    return Tried(size, name or beside, name)


def wells_of(reads: Any, text: str) -> pl.DataFrame:
    """The wells of a twin. The layout is read once: twins of one truth share it."""
    table = as_plate(reads).table
    known = content(text, tuple(table["plate"].unique(maintain_order=True)))
    return table.join(known, on=["plate", "well"], how="left", maintain_order="left")


@cache
def content(text: str, plates: tuple[str, ...]) -> pl.DataFrame:
    """What a layout says of every well of these plates."""
    names = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
    every = pl.DataFrame({"plate": np.repeat(plates, 96), "well": names * len(plates)})
    rows = every.with_columns(channel=pl.lit(""), value=pl.lit(1.0), unit=pl.lit(""), flag=pl.lit(""))
    found = layout.apply(Plate("twin", "tidy", rows), layout.parse(text, "layout.toml")).table
    return found.drop("channel", "value", "unit", "flag")


def draw(kind: str, nth: int) -> np.random.Generator:
    """Random numbers of one twin."""
    return np.random.default_rng([SEED, nth, *kind.encode()])


def factor(random: np.random.Generator) -> float:
    """By how much an outlier well is off."""
    low, high = np.log(FACTORS)
    return float(np.exp(random.uniform(low, high) * random.choice([-1.0, 1.0])))


def said(findings: Iterable[Finding], codes: Iterable[str] = CODES) -> list[Finding]:
    """The warnings of the layer."""
    return [one for one in findings if one.severity == "warning" and one.code in codes]


def named(findings: Iterable[Finding], wells: Iterable[str]) -> bool:
    """Whether a finding names one of these wells."""
    texts = [f"{one.message} {one.where} {one.next_step}" for one in findings]
    return any(re.search(rf"{re.escape(well)}\b", text) for well in wells for text in texts)


# Growth: one line with a compound of nine doses, four wells each, and sixteen wells of vehicle.


def growth_plate(kind: str, nth: int) -> tuple[pl.DataFrame, float]:
    """The wells of a clean twin, and the IC50 of its growth rate."""
    made = growth_twin.make(GROWTH, Draws(SEED, f"growth {kind}", nth))
    (drawn,) = made.drawn.values()
    return wells_of(made.reads, made.layout), drawn["ec50_nm"]["pomalidomide"]


def growth_findings(wells: pl.DataFrame) -> list[Finding]:
    table, noticed = growth.cultures_table(wells)
    return said([*noticed, *growth.analyse(table).findings])


def growth_curve(wells: pl.DataFrame) -> tuple[Culture, outliers.Readings]:
    """The culture, and its readings about their curve."""
    (one,) = cultures(growth.cultures_table(wells)[0], growth.Settings(), [])
    fits = potencies.viability_fits((one,), growth.Settings())
    return one, logistics.of_logistics(fits, [one.name], [one.wells])[0]


def growth_changed(wells: pl.DataFrame, mine: tuple[str, ...], by: float) -> tuple[pl.DataFrame, float]:
    """The wells with the light of some multiplied, above the blank, and the size of that shift."""
    one, readings = growth_curve(wells)
    blanks = wells.filter((pl.col("role") == "blank") & pl.col("value").is_not_null())
    level = float(blanks["value"].to_numpy().mean())
    there = pl.concat_str("plate", pl.lit(":"), "well").is_in(mine)
    value = pl.when(there).then(level + by * (pl.col("value") - level)).otherwise("value")
    here = np.array([well in mine for well in one.wells])
    shift = abs(by - 1.0) * float(one.viability[here].mean())
    return wells.with_columns(value=value), shift / outliers.standard_error(readings, here)


def outlier_in_growth(nth: int, least: float = 0.0) -> Tried:
    wells, _ = growth_plate("outlier", nth)
    random = draw("growth outlier", nth)
    one, _ = growth_curve(wells)
    well = str(random.choice([name for name, dose in zip(one.wells, one.dose, strict=True) if dose > 0.0]))
    changed, size = growth_changed(wells, (well,), factor(random))
    return told(size, size > least and named(growth_findings(changed), [well]))


def dose_in_growth(nth: int, least: float = 0.0) -> Tried:
    """One dose off by two: the dose itself is named, or the one beside it, or the curve lacks fit."""
    wells, ec50 = growth_plate("dose", nth)
    random = draw("growth dose", nth)
    one, _ = growth_curve(wells)
    dose = float(random.choice(np.unique(one.dose[one.dose > 0.0])))
    by = float(random.choice([0.5, 2.0]))
    divisions = one.divisions or 1.0
    right, wrong = (
        growth_twin.expected(GROWTH, np.array([x]), ec50, divisions)[0] for x in (dose, by * dose)
    )
    mine = tuple(name for name, x in zip(one.wells, one.dose, strict=True) if x == dose)
    changed, size = growth_changed(wells, mine, float(wrong / right))
    found = growth_findings(changed) if size > least else []
    return told(size, named(found, mine), beside=any(one.code in OF_CURVES for one in found))


def dead_vehicle(nth: int, _least: float = 0.0) -> Tried:
    wells, _ = growth_plate("vehicle", nth)
    random = draw("vehicle", nth)
    one, _ = growth_curve(wells)
    well = str(random.choice([name for name, dose in zip(one.wells, one.dose, strict=True) if dose == 0.0]))
    changed, size = growth_changed(wells, (well,), DEAD)
    return told(size, named(growth_findings(changed), [well]))


def gradient(nth: int, _least: float = 0.0) -> Tried:
    """Light falls by 30 % from the first to the last column, or rises."""
    wells, _ = growth_plate("gradient", nth)
    random = draw("gradient", nth)
    column = pl.col("well").str.extract(r"(\d+)$").cast(pl.Float64)
    along = 1.0 + random.choice([-1.0, 1.0]) * GRADIENT * ((column - 1.0) / 11.0 - 0.5)
    changed = wells.with_columns(value=pl.col("value") * along)
    one, _ = growth_curve(wells)
    vehicle = one.dose == 0.0
    place = np.array([float(name.rpartition(":")[2][1:]) for name in one.wells])[vehicle]
    value = one.viability[vehicle]
    error = value.std(ddof=1) / np.sqrt(np.sum((place - place.mean()) ** 2))
    found = [f for f in growth_findings(changed) if f.code == "GP-A051" and "72 h" in f.where]
    return told(float(GRADIENT / 11.0 / error), bool(found))


# Fluorescence polarisation: one compound of ten doses, three wells each, and both controls.


def fp_plate(kind: str, nth: int) -> tuple[pl.DataFrame, Conditions]:
    made = fp_twin.make(FP, Draws(SEED, f"fp {kind}", nth))
    stated = Conditions(
        Amount(float(str(made.drawn["stated_protein_nm"])), FP.protein_cv),
        Amount(FP.tracer_nm, 0.0),
        Amount(float(str(made.drawn["stated_tracer_kd_nm"])), FP.tracer_kd_cv),
    )
    return wells_of(made.reads, made.layout), stated


def fp_result(wells: pl.DataFrame, stated: Conditions) -> polarization.Result:
    return polarization.analyse(wells, Settings(stated, Optics(g_factor=FP.g_factor)))


def outlier_in_fp(nth: int, _least: float = 0.0) -> Tried:
    """A bubble: more of one channel than there should be."""
    wells, stated = fp_plate("outlier", nth)
    random = draw("fp outlier", nth)
    before = fp_result(wells, stated)
    rows = before.tables["wells"].filter((pl.col("role") == "competitor") & (pl.col("note") == ""))
    well = str(random.choice(rows["well"].to_list()))
    by = 1.0 + random.choice([-1.0, 1.0]) * float(np.exp(random.uniform(np.log(0.02), np.log(0.3))))
    here = (pl.col("well") == well) & (pl.col("channel") == "parallel")
    changed = wells.with_columns(value=pl.when(here).then(pl.col("value") * by).otherwise("value"))
    after = fp_result(changed, stated)
    moved = [r.tables["wells"].filter(pl.col("well") == well)["anisotropy"][0] for r in (before, after)]
    size = abs(moved[1] - moved[0]) / before.tables["fits"]["noise_anisotropy"][0]
    return told(float(size), named(said(after.findings), [f":{well}"]))


# ELISA: eight standards in duplicate beside the cultures of a donor.


def elisa_plate(kind: str, nth: int) -> pl.DataFrame:
    made = elisa_twin.make(ELISA, Draws(SEED, f"elisa {kind}", nth))
    return wells_of(made.reads, made.layout)


def standard(nth: int, _least: float = 0.0) -> Tried:
    """One standard at half or twice its concentration: seen if any standard, or their curve, is in doubt."""
    wells = elisa_plate("standard", nth)
    random = draw("standard", nth)
    before = elisa.analyse(wells)
    levels = before.tables["levels"].filter(pl.col("nominal") > 0.0)["nominal"].to_list()
    level, by = float(random.choice(levels)), float(random.choice([0.5, 2.0]))
    right, wrong = (_od(x) for x in (level, by * level))
    here = (pl.col("role") == "standard") & (pl.col("concentration") == level) & (pl.col("channel") == "450")
    changed = wells.with_columns(value=pl.when(here).then(pl.col("value") + wrong - right).otherwise("value"))
    known = before.tables["standards"].drop_nulls("signal")
    x, y = known["nominal"].to_numpy(), known["signal"].to_numpy()
    of = dict(before.tables["curve"].select("parameter", "value").rows())
    fits = curves.fit("4pl", x, y, weights=np.maximum(y, 0.01) ** -of["variance_power"], intervals=False)
    readings = logistics.of_logistics(fits, [""], [known["well"].to_list()])[0]
    sd = outliers.standard_error(readings, x == level)
    names = before.tables["standards"]["well"].to_list()
    found = said(elisa.analyse(changed).findings)
    own = [f":{name}" for name in known.filter(pl.col("nominal") == level)["well"].to_list()]
    others = named(found, [*(f":{name}" for name in names), "misses its standards"])
    return told(float(abs(wrong - right) / sd), named(found, own), beside=others)


def _od(x: float) -> float:
    """The optical density that a concentration makes in the twin."""
    share = 1.0 + (ELISA.od_ec50_pg_per_ml / x) ** ELISA.od_slope
    return float(ELISA.od_zero + (ELISA.od_top - ELISA.od_zero) / share)


def dead_stimulated(nth: int, _least: float = 0.0) -> Tried:
    """A culture of the 0 % control that makes a twentieth."""
    wells = elisa_plate("stimulated", nth)
    random = draw("stimulated", nth)
    mine = wells.filter(pl.col("role") == "stimulated")["well"].unique(maintain_order=True).to_list()
    well = str(random.choice(mine))
    here = (pl.col("well") == well) & (pl.col("channel") == "450")
    changed = wells.with_columns(
        value=pl.when(here).then(0.1 + (pl.col("value") - 0.1) * DEAD).otherwise("value")
    )
    return told(1.0 / ELISA.culture_cv, named(said(elisa.analyse(changed).findings), [f":{well}"]))


KINDS = {
    "outlier_well_growth": outlier_in_growth,
    "outlier_well_fp": outlier_in_fp,
    "bad_standard": standard,
    "dose_off_by_two": dose_in_growth,
    "gradient": gradient,
    "dead_vehicle": dead_vehicle,
    "dead_stimulated_elisa": dead_stimulated,
}
CLEAN = {
    "growth": lambda nth: growth_findings(growth_plate("clean", nth)[0]),
    "fp": lambda nth: said(fp_result(*fp_plate("clean", nth)).findings),
    "elisa": lambda nth: said(elisa.analyse(elisa_plate("clean", nth)).findings),
}


def contaminated(kind: str, twins: int, large: int = 0) -> dict[str, Any]:
    """Of one kind: how many shifts are large enough to be seen, and how many of these were.

    large: so many that are large enough are drawn, whatever `twins` says; 0 for `twins` of any size.
    """
    tried: list[Tried] = []
    while sum(one.size > SEEN for one in tried) < large if large else len(tried) < twins:
        tried.append(KINDS[kind](len(tried), SEEN if large else 0.0))
    beyond = [one for one in tried if one.size > SEEN]
    seen = sum(one.seen for one in beyond)
    return {
        "twins": len(tried),
        "beyond": len(beyond),
        "flagged": seen,
        "share": seen / len(beyond) if beyond else None,
        "by_name": sum(one.named for one in beyond),
        "flagged_of_all": None if large else sum(one.seen for one in tried),
    }


def clean(assay: str, twins: int) -> dict[str, Any]:
    """How many clean twins have a warning of the layer, and which."""
    found = [CLEAN[assay](nth) for nth in range(twins)]
    codes = sorted({one.code for some in found for one in some})
    return {
        "twins": twins,
        "flagged": sum(bool(some) for some in found),
        "share": sum(bool(some) for some in found) / twins,
        "codes": {code: sum(any(one.code == code for one in some) for some in found) for code in codes},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--twins", type=int, default=200)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--clean", type=int, default=400)
    parser.add_argument("--only", nargs="*", default=[*KINDS, *CLEAN])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    for name in asked.only:
        begun = time.perf_counter()
        found[name] = (
            contaminated(name, asked.twins, asked.large) if name in KINDS else clean(name, asked.clean)
        )
        if not asked.json:
            print(name, found[name], f"{time.perf_counter() - begun:.0f} s", flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
