"""Do the 95 % intervals of an ELISA hold the truth in 93 to 97 % of simulated plates?

    python -m benchmarks.elisa_coverage [--plates 2000] [--json]

Concentrations: a plate of eight standards in duplicate and samples from near the foot to near the shoulder of
the curve, noise that grows with the signal; the power of the variance is fitted from the plate, as by
default.
IC50s: four donors a plate, their IC50s drawn from a lognormal distribution, cultures that differ; the
interval
of each donor is held to the donor's own IC50, the interval of the pool to the centre of the distribution.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays import elisa
from glueprint.runs.streams import uniforms

Floats = NDArray[np.float64]
FRONT, BACK, EC50, SLOPE = 0.07, 3.2, 150.0, 1.1
LEVELS = np.repeat([0.0, 4.0, 8.0, 16.0, 31.25, 62.5, 125.0, 250.0, 500.0], 2)
SAMPLES = np.geomspace(8.0, 400.0, 12)
SAMPLES_NAMED = tuple(f"s{i}" for i in range(SAMPLES.size))
CV, POWER = 0.04, 1.5
DOSES = np.repeat([0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0], 3)
DONORS, CENTRE_NM, SPREAD = 4, 20.0, 0.25
CULTURE_CV = 0.08
# pg/mL of the stimulated and the unstimulated cultures; diluted so that both lie between the standards.
STIMULATED, UNSTIMULATED, DILUTION = 2000.0, 200.0, 10.0


def signal(concentration: Floats) -> Floats:
    """The curve that the plates are drawn from, written independently of the package."""
    with np.errstate(divide="ignore"):
        return np.asarray(FRONT + (BACK - FRONT) / (1.0 + (EC50 / concentration) ** SLOPE))


def normal(purpose: str, plate: int, count: int) -> Floats:
    """Standard normal numbers (count,) of one plate, the same in every run."""
    u = uniforms(1, purpose, np.array([plate]), 2 * count).ravel()
    return np.asarray(np.sqrt(-2.0 * np.log(u[:count])) * np.cos(2.0 * np.pi * u[count:]))


def read(concentration: Floats, purpose: str, plate: int) -> Floats:
    """Signals of wells, with noise whose variance is CV^2 mean^POWER."""
    mean = signal(concentration)
    return mean + CV * mean ** (POWER / 2.0) * normal(purpose, plate, mean.size)


def names(count: int) -> list[str]:
    """Wells A1, A2, ... of a large plate."""
    return [f"{chr(65 + i // 24)}{i % 24 + 1}" for i in range(count)]


def sample_plate(plate: int) -> pl.DataFrame:
    """Standards in duplicate, samples in duplicate, the last three samples at three dilutions."""
    dilution = np.repeat(np.concatenate([np.ones(SAMPLES.size), [1.0, 4.0, 16.0]]), 2)
    inside = np.repeat(np.concatenate([SAMPLES, 320.0 / np.array([1.0, 4.0, 16.0])]), 2)
    name = [*(f"s{i}" for i in range(SAMPLES.size)), "series", "series", "series"]
    value = read(np.concatenate([LEVELS, inside]), "elisa samples", plate)
    return pl.DataFrame(
        {
            "well": names(value.size),
            "value": value,
            "role": ["standard"] * LEVELS.size + ["sample"] * inside.size,
            "sample": [f"{x:g}" for x in LEVELS] + [one for one in name for _ in range(2)],
            "concentration": pl.Series([*LEVELS.tolist(), *[None] * inside.size], dtype=pl.Float64),
            "dilution": np.concatenate([np.ones(LEVELS.size), dilution]),
        }
    )


def cover_samples(plates: int) -> dict[str, Any]:
    """Share of plates whose interval holds the truth, per sample and for a result of three dilutions."""
    truth = {f"s{i}": x for i, x in enumerate(SAMPLES.tolist())} | {"series": 320.0}
    held = dict.fromkeys(truth, 0)
    counted = dict.fromkeys(truth, 0)
    for plate in range(plates):
        result = elisa.analyse(sample_plate(plate), elisa.Settings(model="4pl"))
        for row in result.tables["samples"].to_dicts():
            low, high = row["low"], row["high"]
            if row["relation"] != "=" and row["low"] is None:
                continue
            counted[row["sample"]] += 1
            inside = low <= truth[row["sample"]] and (high is None or truth[row["sample"]] <= high)
            held[row["sample"]] += int(inside)
    shares = {f"{truth[name]:.4g}": held[name] / counted[name] for name in SAMPLES_NAMED}
    return {
        "plates": plates,
        "by_concentration": shares,
        "all_samples": sum(held[n] for n in SAMPLES_NAMED) / sum(counted[n] for n in SAMPLES_NAMED),
        "three_dilutions": held["series"] / counted["series"],
    }


def donor_plate(plate: int) -> tuple[pl.DataFrame, Floats]:
    """Four donors with controls in sixfold and doses in triplicate, and their true IC50s (4,), nM."""
    ic50 = CENTRE_NM * 10.0 ** (SPREAD * normal("elisa donors", plate, DONORS))
    role, dose, donor, made = [], [], [], []
    for i, half in enumerate(ic50.tolist()):
        doses = np.concatenate([np.zeros(6), DOSES])
        left = UNSTIMULATED + (STIMULATED - UNSTIMULATED) / (1.0 + doses / half)
        made.append(np.concatenate([left, np.full(3, UNSTIMULATED)]))
        role += ["stimulated"] * 6 + ["compound"] * DOSES.size + ["unstimulated"] * 3
        dose += [None] * 6 + DOSES.tolist() + [None] * 3
        donor += [f"d{i}"] * (doses.size + 3)
    tnf = np.concatenate(made)
    tnf = tnf * (1.0 + CULTURE_CV * normal("elisa cultures", plate, tnf.size))
    value = read(np.concatenate([LEVELS, tnf / DILUTION]), "elisa donor wells", plate)
    ours = LEVELS.size
    table = pl.DataFrame(
        {
            "well": names(value.size),
            "value": value,
            "role": ["standard"] * ours + role,
            "sample": [f"{x:g}" for x in LEVELS] + ["glue"] * tnf.size,
            "donor": [""] * ours + donor,
            "concentration": pl.Series([*LEVELS.tolist(), *dose], dtype=pl.Float64),
            "concentration_unit": ["pg/mL"] * ours + ["nM"] * tnf.size,
            "dilution": [1.0] * ours + [DILUTION] * tnf.size,
            "viability_percent": 100.0,
        }
    )
    return table, ic50


def cover_donors(plates: range) -> dict[str, Any]:
    """Share of donors, and of pools over four donors, whose interval of the IC50 holds the truth."""
    held = {"donor relative": 0, "donor absolute": 0, "pool relative": 0, "pool absolute": 0}
    counted = dict.fromkeys(held, 0)
    for plate in plates:
        table, ic50 = donor_plate(plate)
        result = elisa.analyse(table, elisa.Settings(model="4pl"))
        for one in result.named:
            truth = CENTRE_NM if not one.donor else float(ic50[int(one.donor[1:])])
            key = f"{'donor' if one.donor else 'pool'} {one.potency.definition}"
            counted[key] += 1
            low, high = one.potency.low_nm or 0.0, one.potency.high_nm or np.inf
            held[key] += int(low <= truth <= high)
    return {"plates": len(plates)} | {name: held[name] / counted[name] for name in held}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--plates", type=int, default=2000)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found = {"samples": cover_samples(asked.plates), "donors": cover_donors(range(asked.plates))}
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for part, shares in found.items():
        for name, value in shares.items():
            print(part, name, value)


if __name__ == "__main__":
    main()
