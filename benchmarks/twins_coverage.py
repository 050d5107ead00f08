"""Do the analyses recover the truths of twins, with 95 % intervals that hold in 93 to 97 % of experiments?

    python -m benchmarks.twins_coverage [--protocol fp] [--experiments 2000] [--through-files 100]
        [--processes 1] [--json]

Every experiment is a twin of its own with the usual noise. The first ones go through their files: written as
the reader's format, read back and analysed whole, as a user would. The others stay in memory and go to the
kernels of the analyses in batches, which is much faster; the tests show that both ways agree. An open bound
holds everything on its side; a limit holds what it claims. A blot goes from its picture to lanes, and from
these to DC50s and Dmax at 6 h, in every experiment.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, pairwise
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import t as student

from benchmarks.coverage import WITHIN, holds
from glueprint.assays import blot, degradation, elisa, growth, layout, polarization, readers
from glueprint.assays.degradation import joint, reading
from glueprint.assays.growth import potencies
from glueprint.assays.growth.plates import cultures_table
from glueprint.assays.growth.reading import Culture
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings, competition, signal
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
# (which experiment, what was asked, whether it held)
Held = Iterator[tuple[int, str, bool]]
# Relative and absolute DC50, and the ends of the interval of Dmax.
Fitted = tuple[Potency, Potency, float | None, float | None]
GLUE, KI_NM, TARGET, TIME_H = "glue", 156.6, "IKZF1", 6.0
FP = fp_twin.Truth(ki_nm={GLUE: KI_NM})
# As many donors as a twin may have: their curves are fitted together.
DONORS = 20
ELISA = elisa_twin.Truth(ic50_nm={GLUE: 13.0}, donors=DONORS)
BLOT = blot_twin.Truth(targets={TARGET: blot_twin.Target()}, experiments=1, mln4924_lanes=0)
EFFECTS: tuple[tuple[Literal["growth rate", "viability"], tuple[str, str]], ...] = (
    ("growth rate", ("GEC50", "GR50")),
    ("viability", ("relative IC50", "absolute IC50")),
)


def from_files(made: Any, write: Callable[[Any, str], dict[str, bytes]]) -> Wells:
    """The wells of a twin by way of its files."""
    written = write(made, "yes")
    plate = readers.parse(written["plate.txt"], "plate.txt")
    return layout.apply(plate, layout.parse(written["layout.toml"].decode(), "layout.toml"))


def fp_stated(made: fp_twin.Made) -> Conditions:
    """What the laboratory believes."""
    return Conditions(
        Amount(made.drawn["stated_protein_nm"], FP.protein_cv),  # type: ignore[arg-type]
        Amount(FP.tracer_nm, 0.0),
        Amount(made.drawn["stated_tracer_kd_nm"], FP.tracer_kd_cv),  # type: ignore[arg-type]
    )


def fp_files(nth: int) -> Held:
    """A plate with one compound, protein and tracer Kd misstated by 20 %."""
    made = fp_twin.make(FP, Draws(SEED, "fp", nth))
    chosen = Settings(fp_stated(made), Optics(g_factor=FP.g_factor))
    result = polarization.analyse(from_files(made, fp_twin.files).table, chosen)
    for found in result.of(GLUE):
        if found.kind == "Ki":
            yield nth, "Ki", holds(found, KI_NM)


def fp_memory(plates: range) -> Held:
    """The same plates as arrays, their Ki fitted by the kernel of the analysis in one batch."""
    planned = FP.top_dose_nm / FP.dilution ** np.arange(fp_twin.DOSES)
    dose = np.concatenate([np.full(4, np.inf), np.zeros(8), np.tile(planned, FP.replicates)])
    light, stated, stated_sd = [], [], []
    for nth in plates:
        made = fp_twin.make(FP, Draws(SEED, "fp", nth))
        counts = np.stack([made.reads[0].channels[name] for name in ("parallel", "perpendicular")])
        net = counts - counts[:, :4, :1].mean(axis=1, keepdims=True)
        r, total = (make(net[0], net[1], FP.g_factor) for make in (signal.anisotropy, signal.intensity))
        free, top = (pl.DataFrame({"intensity": part}) for part in (total[4:, 0], total[:, 1]))
        contents = fp_plates.Contents("", free, top, top.clear(), {})
        conditions = fp_stated(made)
        bright, _ = fp_plates.brightness(contents, conditions, Optics(g_factor=FP.g_factor))
        known = [conditions.protein, conditions.tracer_kd, conditions.tracer]
        amounts = [amount for amount in known if amount is not None]
        stated.append([math.log(amount.value_nm) for amount in amounts] + [math.log(bright.ratio)])
        stated_sd.append([amount.log_sd for amount in amounts] + [bright.log_sd])
        light.append(np.concatenate([r[4:, 0], r[:, 1], r[: FP.replicates, 2:].ravel()]))
    every = (np.tile(dose, (len(light), 1)), np.array(light), np.array(stated), np.array(stated_sd))
    found = competition.fit(competition.Curves(*every))
    truth = math.log10(KI_NM)
    for nth, inside in zip(plates, (found.log10_low <= truth) & (truth <= found.log10_high), strict=True):
        yield nth, "Ki", bool(inside)


def elisa_held(made: elisa_twin.Made, wells: pl.DataFrame, first: int) -> Held:
    """Every donor held to its own IC50, the pool of all to their centre."""
    result = elisa.analyse(wells, elisa.Settings(model="4pl"))
    centre = {"relative": 13.0, "absolute": elisa_twin.absolute_nm(ELISA, 13.0)}
    for one in result.named:
        kind = one.potency.definition
        if one.donor:
            name = one.donor.removesuffix(" 1")
            inside = holds(one.potency, made.drawn[name][f"{kind}_ic50_nm"][GLUE])
            yield first + int(name.removeprefix("Donor ")) - 1, f"IC50 of a donor, {kind}", inside
        else:
            yield first, f"IC50 of {DONORS} donors pooled, {kind}", holds(one.potency, centre[kind] or 0.0)


def elisa_files(nth: int) -> Held:
    """Plates of `DONORS` donors; those between are of the same twin."""
    if nth % DONORS == 0:
        made = elisa_twin.make(ELISA, Draws(SEED, "elisa", nth))
        yield from elisa_held(made, from_files(made, elisa_twin.files).table, nth)


def elisa_memory(plates: range) -> Held:
    """The same without files; the layout is read once, it differs in the viability alone."""
    usual: pl.DataFrame | None = None
    for nth in plates[::DONORS]:
        made = elisa_twin.make(ELISA, Draws(SEED, "elisa", nth))
        read = as_plate(made.reads)
        if usual is None:
            usual = layout.apply(read, layout.parse(made.layout, "layout.toml")).table
        key = ["plate", "well", "channel"]
        values = read.table.select(*key, "value", "flag")
        yield from elisa_held(made, usual.drop("value", "flag").join(values, on=key, how="left"), nth)


def blot_held(membrane: blot_twin.Membrane, bands: pl.DataFrame, nth: int) -> Held:
    """The ratio of every treated lane, by the t of its vehicle lanes."""
    reach = student.ppf(0.975, BLOT.vehicle_lanes - 1)
    for row, left in zip(bands.to_dicts(), np.log(membrane.left[TARGET]).tolist(), strict=True):
        # A lane whose base line is refused has no ratio, and so no interval to hold.
        if not row["vehicle"] and row["log_ratio"] is not None:
            inside = abs(row["log_ratio"] - left) <= reach * row["log_ratio_se"]
            yield nth, "log ratio of a lane", bool(inside)


def fit_held(made: blot_twin.Made, found: Fitted, nth: int) -> Held:
    """DC50s and Dmax of the fit over dose and time; a flat fit says nothing of Dmax."""
    relative, absolute, low, high = found
    own = made.drawn["experiment 1"][TARGET]
    at = own["times_h"].index(TIME_H)
    yield nth, "DC50 relative at 6 h", holds(relative, own["relative_dc50_nm"][at])
    yield nth, "DC50 absolute at 6 h", holds(absolute, own["absolute_dc50_nm"][at])
    yield nth, "Dmax at 6 h", (low or 0.0) <= own["dmax"][at] <= (1.0 if high is None else high)


def blot_files(nth: int) -> Held:
    """One membrane to its ratios, and on to DC50s and Dmax at 6 h."""
    made = blot_twin.make(BLOT, Draws(SEED, "blot", nth))
    written = blot_twin.files(made, "yes")
    image = blot.image.parse(written["membrane-1.tif"], "membrane-1.tif")
    boxes = blot.boxes.parse(written["boxes-1.toml"].decode(), "boxes-1.toml")
    bands = blot.analyse(blot.Scan(image, boxes)).tables["bands"].sort("lane")
    yield from blot_held(made.membranes[0], bands, nth)
    point = degradation.analyse(bands).at(TIME_H)
    yield from fit_held(made, (point.relative, point.absolute, point.dmax_low, point.dmax_high), nth)


def blot_memory(membranes: range) -> Held:
    """The picture without its file, and the fit of the analysis without other times, rates and curves."""
    for nth in membranes:
        made = blot_twin.make(BLOT, Draws(SEED, "blot", nth))
        (membrane,) = made.membranes
        bands = (
            blot.analyse(blot.Scan(blot.from_array(membrane.counts), membrane.boxes))
            .tables["bands"]
            .sort("lane")
        )
        yield from blot_held(membrane, bands, nth)
        yield from fit_held(made, at_time(bands), nth)


def at_time(bands: pl.DataFrame) -> Fitted:
    """What `degradation.analyse` says of one experiment at one time."""
    (lanes,) = reading.experiments(reading.tidy(reading.usable(bands, [])), [])
    fit = joint.fit(lanes, degradation.Settings(), logarithm=joint.likelier(lanes) > 0.0)
    relative, absolute = (joint.potency(fit, TIME_H, kind) for kind in ("relative", "absolute"))
    dmax = joint.dmax_of(fit, TIME_H)
    return (relative, absolute, dmax.low, dmax.high) if dmax else (relative, absolute, None, None)


def growth_truth(effect: Literal["growth rate", "viability"]) -> growth_twin.Truth:
    """One line, one experiment."""
    return growth_twin.Truth(
        effect_on=effect, ec50_nm={GLUE: 128.0}, doubling_time_h={"A": 30.0}, experiments=1
    )


def growth_wanted(made: growth_twin.Made) -> tuple[float, float]:
    """The middle of the curve, and where it crosses one half."""
    truth = made.truth
    (drawn,) = made.drawn.values()
    middle = drawn["ec50_nm"][GLUE]
    odds = (1.0 - truth.bottom) / (0.5 - truth.bottom) - 1.0
    return middle, middle * odds ** (1.0 / truth.slope)


def growth_files(nth: int) -> Held:
    """GR potencies where the truth is a growth rate, IC50s where it is a viability."""
    for effect, pair in EFFECTS:
        made = growth_twin.make(growth_truth(effect), Draws(SEED, f"growth {effect}", nth))
        result = growth.analyse(cultures_table(from_files(made, growth_twin.files).table)[0])
        for definition, value in zip(pair, growth_wanted(made), strict=True):
            found = result.of("A", GLUE, definition, "1")
            yield nth, definition, found is not None and holds(found, value)


def growth_memory(plates: range) -> Held:
    """The same plates as arrays, all curves fitted in one batch."""
    for effect, pair in EFFECTS:
        truth = growth_truth(effect)
        cultures, wanted = [], []
        for nth in plates:
            made = growth_twin.make(truth, Draws(SEED, f"growth {effect}", nth))
            cultures.append(culture(truth, *(read.channels["luminescence"] for read in made.reads)))
            wanted.append(growth_wanted(made))
        fitted = potencies.of_viability if effect == "viability" else potencies.of_growth_rate
        curves = fitted(cultures, growth.Settings())
        for at, definition in enumerate(pair):
            for nth, found, values in zip(plates, curves.potencies[definition], wanted, strict=True):
                yield nth, definition, found is not None and holds(found, values[at])


def culture(truth: growth_twin.Truth, zero: Any, end: Any) -> Culture:
    """What the analysis makes of the plates of time zero and of the end."""
    blank = end[:, 0].mean()
    control, start = end[:, [1, 11]].ravel() - blank, zero[:, 1:3].ravel() - zero[:, 0].mean()
    planned = truth.top_dose_nm / truth.dilution ** np.arange(growth_twin.DOSES)
    treated = end[: truth.replicates, 2:11].ravel() - blank
    mean, first = control.mean(), start.mean()
    return Culture(
        "A", GLUE, "1", "nM",
        dose=np.concatenate([np.zeros(control.size), np.tile(planned, truth.replicates)]),
        viability=np.concatenate([control, treated]) / mean,
        control_se=float(control.std(ddof=1) / math.sqrt(control.size) / mean), control_wells=control.size,
        at_zero=float(first / mean), at_zero_se=float(start.std(ddof=1) / math.sqrt(start.size) / first),
        time_h=truth.time_h, doubling_time_h=None,
    )  # fmt: skip


PROTOCOLS: dict[str, tuple[Callable[[int], Held], Callable[[range], Held]]] = {
    "fp": (fp_files, fp_memory),
    "elisa": (elisa_files, elisa_memory),
    "blot": (blot_files, blot_memory),
    "growth": (growth_files, growth_memory),
}


def parts(experiments: int, processes: int) -> list[range]:
    """The experiments of each process; donors of one ELISA are neighbours and stay together."""
    ends = [round(i * experiments / processes / DONORS) * DONORS for i in range(processes)] + [experiments]
    return [range(first, max(first, last)) for first, last in pairwise(ends)]


def part(protocol: str, through: int, plates: range) -> list[tuple[int, str, bool]]:
    """What held in some of the experiments: those below `through` go by their files."""
    by_file, in_memory = PROTOCOLS[protocol]
    files, rest = plates[: max(through - plates.start, 0)], plates[max(through - plates.start, 0) :]
    held = [one for nth in files for one in by_file(nth)]
    return held + (list(in_memory(rest)) if rest else [])


def cover(protocol: str, experiments: int, through_files: int, processes: int = 1) -> dict[str, Any]:
    """Share of intervals that hold, by what was asked, with its standard error over experiments."""
    held: dict[str, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    start = time.perf_counter()
    through = min(through_files, experiments)
    shared = parts(experiments, processes)
    if processes == 1:
        found = [part(protocol, through, shared[0])]
    else:
        with ProcessPoolExecutor(processes) as pool:
            found = list(pool.map(part, [protocol] * processes, [through] * processes, shared))
    for which, name, inside in chain.from_iterable(found):
        held[name][which].append(inside)
    shares = {name: np.array([np.mean(one) for one in rows.values()]) for name, rows in held.items()}
    return {
        "experiments": experiments,
        "through_files": through,
        "counted": {name: len(values) for name, values in shares.items()},
        "coverage": {name: float(values.mean()) for name, values in shares.items()},
        "standard_error": {name: float(v.std() / math.sqrt(v.size)) for name, v in shares.items()},
        "within": {name: bool(WITHIN[0] <= v.mean() <= WITHIN[1]) for name, v in shares.items()},
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--protocol", choices=[*PROTOCOLS], action="append")
    arguments.add_argument("--experiments", type=int, default=2000)
    arguments.add_argument("--through-files", type=int, default=100)
    arguments.add_argument("--processes", type=int, default=1)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found = {}
    for protocol in asked.protocol or PROTOCOLS:
        told = found[protocol] = cover(protocol, asked.experiments, asked.through_files, asked.processes)
        if not asked.json:
            share = told["through_files"] / told["experiments"]
            print(f"{protocol}: {told['experiments']} experiments, {share:.0%} through files", flush=True)
            for name, value in told["coverage"].items():
                error, counted = told["standard_error"][name], told["counted"][name]
                print(f"  {name:42} {value:.4f} +- {error:.4f} of {counted}", flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
