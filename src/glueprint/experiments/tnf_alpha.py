"""TNF-alpha from LPS-stimulated cells, in medium and in whole blood: the guide's ELISA, well by well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from glueprint.assays import elisa
from glueprint.experiments import elisa_plate, lab, provenance
from glueprint.experiments.cultures import LPS, Culture
from glueprint.experiments.description import Bench, Description, Measured, in_cells
from glueprint.experiments.elisa_plate import Donor, Treated
from glueprint.experiments.experiment import Measure, Panel, Reading
from glueprint.experiments.forward import SYSTEMS, TNF_H, half, in_system
from glueprint.experiments.settings import Setting, amounts, at_least, whole
from glueprint.mechanism import Quantity
from glueprint.runs import streams

__all__ = ["DESCRIPTION"]

Results = Mapping[str, elisa.Result]


def _plates(bench: Bench) -> Measured:
    """Stimulate cells in medium and in blood under a dilution series; read IC50s from an ELISA plate each."""
    cells, people = bench.cells(), _donors(bench["donors"], bench["donor_log10_sd"], bench["seed"])
    within = {system: in_system(cells, system, bench.values) for system in SYSTEMS}
    plates = {
        system: elisa_plate.wells(_supernatants(bench, cells, values, people), bench.error, system)
        for system, values in within.items()
    }
    results: Results = {system: elisa.analyse(plate) for system, plate in plates.items()}
    behind, free = _behind(cells), float(np.asarray(within[SYSTEMS[1]]["unbound"]))
    tables = [elisa_plate.read_back(results[system], plate, system) for system, plate in plates.items()]
    exact = {s: lab.exact(half(cells, v, "tnf", TNF_H, later=LPS)[0]) for s, v in within.items()}
    return Measured(
        table=pl.concat(tables),
        readings=(*_ic50s(bench, results, exact, behind), *_shifts(bench, results, exact, behind)),
        panels=(_panel(bench, cells, within, tables),),
        behind={"culture": behind},
        assumptions=(
            f"drug 1.5 h before LPS, supernatant after {TNF_H:g} h; TNF-alpha as docs/mechanism.md says",
            f"in blood {free:g} of the drug is free; nothing else differs",
        ),
        settings={"fraction_unbound": free},
        tables={f"{s}: {name}": found for s, r in results.items() for name, found in r.tables.items()},
    )


def _donors(count: int, log10_sd: float, seed: int) -> tuple[Donor, ...]:
    drawn = log10_sd * streams.normals(seed, "experiments/tnf_alpha/donors", np.arange(count), 2)
    return tuple(
        Donor(f"donor {i + 1}", float(10.0 ** row[0]), float(10.0 ** row[1])) for i, row in enumerate(drawn)
    )


def _left(cells: Culture, doses: lab.Floats, values: Mapping[str, ArrayLike]) -> lab.Floats:
    """TNF-alpha left at doses (n,), of that of stimulated cells."""
    made = cells.at(lab.doses(doses), TNF_H, ["tnf"], values, later=LPS)["tnf"]
    return np.asarray(made[1:] / made[0])


def _supernatants(
    bench: Bench, cells: Culture, values: Mapping[str, ArrayLike], people: Sequence[Donor]
) -> list[Treated]:
    doses = bench["doses_nm"]
    # A sensitive donor is one whose cells see each dose as a higher one.
    return [Treated(donor, doses, _left(cells, doses * donor.sensitivity, values)) for donor in people]


def _ic50s(
    bench: Bench,
    results: Results,
    exact: Mapping[str, Measure | None],
    behind: Mapping[str, Quantity],
) -> Iterator[Reading]:
    """Per system: over all donors as read from the plate, and of the model itself."""
    several = bench["donors"] > 1
    for system, result in results.items():
        claims = bench.claims(system)
        label = bench.label(claims, behind)
        note = "pooled over donors" if several else ""
        for one in result.named:
            if one.potency.definition == "absolute" and (one.donor == "" or not several):
                reading = Reading.of(f"IC50, {system}", one.potency, label, claims=claims, note=note)
                # Donors that differ give an interval even where the wells do not err.
                yield reading if several else bench.error.read(reading)
        said = "of the model without an assay" if exact[system] else "half is never lost"
        name = f"IC50, {system}, exact"
        yield Reading.measured(name, exact[system], "nM", label, claims=claims, note=said)


def _shifts(
    bench: Bench,
    results: Results,
    exact: Mapping[str, Measure | None],
    behind: Mapping[str, Quantity],
) -> Iterator[Reading]:
    """Whole blood over medium: of the same donors as read from both plates, and of the model itself."""
    claims = bench.claims("shift")
    label = bench.label(claims, behind)
    name = "shift, whole blood over PBMC"
    medium, blood = (
        {
            one.donor: one.potency
            for one in results[s].named
            if one.donor and one.potency.definition == "absolute"
        }
        for s in SYSTEMS
    )
    both = [(medium[donor], blood[donor]) for donor in medium if donor in blood]
    known = [(m.value_nm, b.value_nm) for m, b in both if m.relation == b.relation == "="]
    ratios = np.array([more / less for less, more in known if less and more])
    note = f"of {ratios.size} of {bench['donors']} donors, each by itself"
    measure = _geometric(ratios, bench) if ratios.size else None
    yield Reading.measured(name, measure, "fold", label, claims=claims, note=note)
    once, more = (exact[system] for system in SYSTEMS)
    ratio = (more[0] / once[0], None, None) if once and more else None
    said = "of the model without an assay"
    yield Reading.measured(f"{name}, exact", ratio, "fold", label, claims=claims, note=said)


def _geometric(ratios: lab.Floats, bench: Bench) -> Measure:
    """Geometric mean of ratios with its interval."""
    mean, low, high = lab.mean_of(np.log(ratios), bench.error)
    ends = (None, None) if low is None or high is None else (float(np.exp(low)), float(np.exp(high)))
    return float(np.exp(mean)), *ends


def _panel(
    bench: Bench,
    cells: Culture,
    within: Mapping[str, Mapping[str, ArrayLike]],
    tables: Sequence[pl.DataFrame],
) -> Panel:
    fine = lab.grid(bench["doses_nm"])
    seen = zip(SYSTEMS, tables, strict=True)
    return Panel(
        "Inhibition of TNF-alpha",
        "dose",
        "inhibition, %",
        lab.points({system: (table["dose_nm"], table["inhibition_percent"]) for system, table in seen}),
        lab.points({s: (fine, 100.0 * (1.0 - _left(cells, fine, values))) for s, values in within.items()}),
        tuple(mark for s in SYSTEMS for mark in provenance.marks(s, bench.claims(s))),
    )


def _behind(cells: Culture) -> dict[str, Quantity]:
    """The culture's parameters with the free fraction that blood adds."""
    fraction = cells.glue.pharmacology.fraction_unbound
    return cells.behind | ({"fraction_unbound": fraction} if fraction else {})


DESCRIPTION = Description(
    name="tnf_alpha",
    title="TNF-alpha inhibition in LPS-stimulated PBMC and whole blood",
    question="Which dose halves TNF-alpha in medium, which in whole blood, and over how many donors?",
    model="culture_monocyte",
    settings={
        "doses_nm": Setting(lab.decades(0.3, 1e4), amounts),
        **in_cells("monocyte"),
        "fraction_unbound": Setting(None),
        # Donors of a usual spread, own choice: one says nothing of people, and four little of the shift.
        "donors": Setting(6, partial(whole, least=1, most=24)),
        "donor_log10_sd": Setting(0.15, partial(at_least, least=0.0, most=2.0)),
    },
    columns=("system", "donor", "dose_nm", "well", "od", "inhibition_percent"),
    protocol=_plates,
    assumptions=(
        "hydrolysis as thalidomide's in blood is not borrowed: pomalidomide would need 180 nM, not 25",
        "{donors} donor(s), log10 SD {donor_log10_sd:g} in sensitivity and yield",
    ),
    needs=("kd_nm", "IKZF1", "IKZF3", "fraction_unbound"),
    noise_percent=4.0,
    replicates=3,
)
