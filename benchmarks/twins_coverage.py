"""Do the analyses recover the truths of twins, with 95 % intervals that hold in 93 to 97 % of experiments?

    python -m benchmarks.twins_coverage [--protocol fp] [--experiments 2000] [--through-files 100] [--json]

Every experiment is a twin of its own with the usual noise. The first ones go through their files: written as
the reader's format and read back; the others stay in memory, which the tests show to be the same. An open
bound holds everything on its side; a limit holds what it claims.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import t as student

from benchmarks.coverage import WITHIN, holds
from glueprint.assays import blot, degradation, elisa, growth, layout, polarization, readers
from glueprint.assays.polarization import Amount, Conditions, Optics, competition, reading
from glueprint.assays.polarization import plates as fp_plates
from glueprint.assays.twins import blot as blot_twin
from glueprint.assays.twins import elisa as elisa_twin
from glueprint.assays.twins import fp as fp_twin
from glueprint.assays.twins import growth as growth_twin
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.plate_reads import as_plate
from glueprint.assays.wells import Wells
from glueprint.curves import Potency

SEED = 20261121
# (what was asked, whether it held)
Held = Iterator[tuple[str, bool]]
GLUE, KI_NM = "glue", 156.6
TIME_H = 6.0


def fp_plate(nth: int, *, files: bool) -> tuple[Wells, Conditions, Optics]:
    """One plate with one compound, and what the laboratory believes: protein and tracer Kd are 20 % off."""
    made = fp_twin.make(fp_twin.Truth(ki_nm={GLUE: KI_NM}), Draws(SEED, "fp", nth))
    wells = _wells(made, fp_twin.files, files)
    said = wells.assay
    stated = Conditions(
        Amount(said["protein_nm"], said["protein_cv"]),
        Amount(said["tracer_nm"], said["tracer_cv"]),
        Amount(said["tracer_kd_nm"], said["tracer_kd_cv"]),
    )
    return wells, stated, Optics(g_factor=said["g_factor"])


def fp(nth: int, *, files: bool) -> Held:
    """A plate through the whole analysis."""
    wells, stated, optics = fp_plate(nth, files=files)
    for found in polarization.analyse(wells.table, stated, optics=optics).of(GLUE):
        if found.kind == "Ki":
            yield "Ki", holds(found, KI_NM)


def fp_batch(plates: range) -> list[bool]:
    """Plates read as the analysis reads them, and their Ki fitted by its kernel in one batch.

    A plate alone takes most of a second, nearly all of it the same steps for one curve at a time.
    """
    dose, light, stated, stated_sd = [], [], [], []
    for nth in plates:
        wells, conditions, optics = fp_plate(nth, files=False)
        table = reading.read(wells.table, optics).table
        (contents,) = fp_plates.contents(table, conditions)
        bright, _ = fp_plates.brightness(contents, conditions, optics)
        known = [conditions.protein, conditions.tracer_kd, conditions.tracer]
        amounts = [amount for amount in known if amount is not None]
        stated.append([math.log(amount.value_nm) for amount in amounts] + [math.log(bright.ratio)])
        stated_sd.append([amount.log_sd for amount in amounts] + [bright.log_sd])
        glue = contents.compounds[GLUE]
        ends = [np.full(contents.free.height, np.inf), np.zeros(contents.top.height)]
        dose.append(np.concatenate([*ends, glue["concentration_nm"].to_numpy()]))
        parts = (contents.free, contents.top, glue)
        light.append(np.concatenate([part["anisotropy"].to_numpy() for part in parts]))
    found = competition.fit(
        competition.Curves(np.array(dose), np.array(light), np.array(stated), np.array(stated_sd))
    )
    truth = math.log10(KI_NM)
    return [bool(inside) for inside in (found.log10_low <= truth) & (truth <= found.log10_high)]


def elisa_(nth: int, *, files: bool) -> Held:
    """Four donors, each held to its own IC50; the pool to the centre of the donors."""
    truth = elisa_twin.Truth(ic50_nm={GLUE: 13.0})
    made = elisa_twin.make(truth, Draws(SEED, "elisa", nth))
    result = elisa.analyse(_wells(made, elisa_twin.files, files).table, elisa.Settings(model="4pl"))
    centre = {"relative": 13.0, "absolute": elisa_twin.absolute_nm(truth, 13.0)}
    for one in result.named:
        kind = one.potency.definition
        if one.donor:
            own = made.drawn[one.donor.removesuffix(" 1")][f"{kind}_ic50_nm"][GLUE]
            yield f"IC50 of a donor, {kind}", holds(one.potency, own)
        else:
            yield f"IC50 of the pool, {kind}", holds(one.potency, float(centre[kind] or math.nan))


def blot_(nth: int, *, files: bool) -> Held:
    """One membrane: the ratio of every treated lane, then DC50s and Dmax of the experiment at 6 h."""
    target = "IKZF1"
    truth = blot_twin.Truth(targets={target: blot_twin.Target()}, experiments=1, mln4924_lanes=0)
    made = blot_twin.make(truth, Draws(SEED, "blot", nth))
    (membrane,) = made.membranes
    image, boxes = blot.from_array(membrane.counts), membrane.boxes
    if files:
        written = blot_twin.files(made, "yes")
        image = blot.image.parse(written["membrane-1.tif"], "membrane-1.tif")
        boxes = blot.boxes.parse(written["boxes-1.toml"].decode(), "boxes-1.toml")
    bands = blot.analyse(image, boxes).tables["bands"].sort("lane")
    reach = student.ppf(0.975, truth.vehicle_lanes - 1)
    for row, left in zip(bands.to_dicts(), np.log(membrane.left[target]).tolist(), strict=True):
        if not row["vehicle"]:
            yield "log ratio of a lane", abs(row["log_ratio"] - left) <= reach * row["log_ratio_se"]
    own = made.drawn["experiment 1"][target]
    at = own["times_h"].index(TIME_H)
    for point in degradation.analyse(bands).points:
        if point.time_h == TIME_H:
            yield "DC50 relative at 6 h", holds(point.relative, own["relative_dc50_nm"][at])
            yield "DC50 absolute at 6 h", holds(point.absolute, own["absolute_dc50_nm"][at])
            low, high = point.dmax_low or 0.0, 1.0 if point.dmax_high is None else point.dmax_high
            yield "Dmax at 6 h", low <= own["dmax"][at] <= high


def growth_(nth: int, *, files: bool) -> Held:
    """One line and one experiment: GR potencies where the truth is a growth rate, IC50s where a viability."""
    effects: tuple[tuple[Literal["growth rate", "viability"], tuple[str, str]], ...] = (
        ("growth rate", ("GEC50", "GR50")),
        ("viability", ("relative IC50", "absolute IC50")),
    )
    for effect, pair in effects:
        truth = growth_twin.Truth(
            effect_on=effect, ec50_nm={GLUE: 128.0}, doubling_time_h={"A": 30.0}, experiments=1
        )
        made = growth_twin.make(truth, Draws(SEED, f"growth {effect}", nth))
        result = growth.analyse(growth_twin.table(_wells(made, growth_twin.files, files).table))
        (drawn,) = made.drawn.values()
        middle = drawn["ec50_nm"][GLUE]
        half = middle * ((1.0 - truth.bottom) / (0.5 - truth.bottom) - 1.0) ** (1.0 / truth.slope)
        for definition, value in zip(pair, (middle, half), strict=True):
            found: Potency | None = result.of("A", GLUE, definition, "1")
            yield definition, found is not None and holds(found, value)


def _wells(made: Any, write: Callable[[Any, str], dict[str, bytes]], files: bool) -> Wells:
    """The wells of a twin, by way of its files or from memory."""
    if not files:
        return layout.apply(as_plate(made.reads), layout.parse(made.layout, "layout.toml"))
    written = write(made, "yes")
    plate = readers.parse(written["plate.txt"], "plate.txt")
    return layout.apply(plate, layout.parse(written["layout.toml"].decode(), "layout.toml"))


PROTOCOLS: dict[str, Callable[..., Held]] = {"fp": fp, "elisa": elisa_, "blot": blot_, "growth": growth_}


def cover(protocol: str, experiments: int, through_files: int) -> dict[str, Any]:
    """Share of intervals that hold, by what was asked, with its standard error over experiments."""
    held: dict[str, list[float]] = {}
    start = time.perf_counter()
    rest = (
        fp_batch(range(through_files, experiments))
        if protocol == "fp" and through_files < experiments
        else []
    )

    def simulated(nth: int) -> Held:
        if rest and nth >= through_files:
            return iter([("Ki", rest[nth - through_files])])
        return PROTOCOLS[protocol](nth, files=nth < through_files)

    for nth in range(experiments):
        hits, asked = Counter[str](), Counter[str]()
        for name, inside in simulated(nth):
            asked[name] += 1
            hits[name] += int(inside)
        for name, count in asked.items():
            held.setdefault(name, []).append(hits[name] / count)
    seconds = time.perf_counter() - start
    shares = {name: float(np.mean(values)) for name, values in held.items()}
    errors = {name: float(np.std(values) / math.sqrt(len(values))) for name, values in held.items()}
    return {
        "experiments": experiments,
        "through_files": min(through_files, experiments),
        "counted": {name: len(values) for name, values in held.items()},
        "coverage": shares,
        "standard_error": errors,
        "within": {name: WITHIN[0] <= share <= WITHIN[1] for name, share in shares.items()},
        "experiments_per_s": round(experiments / seconds, 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--protocol", choices=[*PROTOCOLS], action="append")
    arguments.add_argument("--experiments", type=int, default=2000)
    arguments.add_argument("--through-files", type=int, default=100)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found = {}
    for protocol in asked.protocol or PROTOCOLS:
        found[protocol] = cover(protocol, asked.experiments, asked.through_files)
        if not asked.json:
            told = found[protocol]
            table = pl.DataFrame(
                {"asked": [*told["coverage"]], "coverage": [*told["coverage"].values()],
                 "error": [*told["standard_error"].values()], "counted": [*told["counted"].values()]}
            )  # fmt: skip
            share = told["through_files"] / told["experiments"]
            print(f"{protocol}: {told['experiments']} experiments, {share:.0%} through files", flush=True)
            print(table, flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
