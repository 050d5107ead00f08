"""TNF-alpha from LPS-stimulated cells, in medium and in whole blood: the guide's ELISA, well by well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from glueprint.assays import elisa
from glueprint.curves import Potency
from glueprint.experiments import elisa_plate, lab, provenance
from glueprint.experiments.cultures import LPS, Culture, grow
from glueprint.experiments.elisa_plate import Donor, Treated
from glueprint.experiments.experiment import Experiment, Label, Mark, Panel, Reading
from glueprint.experiments.forward import SYSTEMS, TNF_H, half, in_system
from glueprint.experiments.settings import amounts, at_least, prepared
from glueprint.mechanism import Quantity, Scenario, compounds
from glueprint.runs import streams

__all__ = ["CULTURES", "DOSES_NM", "TITLE", "run"]

TITLE = "TNF-alpha inhibition in LPS-stimulated PBMC and whole blood"
CULTURES = ("culture_monocyte",)
DOSES_NM = lab.decades(0.3, 1e4)
NEEDS = ("kd_nm", "IKZF1", "IKZF3", "fraction_unbound")
Tables = dict[str, pl.DataFrame]
SHOWN = "Inhibition of TNF-alpha"


def run(
    compound: str | Path = compounds.REFERENCE,
    *,
    doses_nm: Sequence[float] = DOSES_NM,
    line: str | Path = "monocyte",
    kd_nm: float | None = None,
    rho: float | None = None,
    fraction_unbound: float | None = None,
    donors: int = 1,
    donor_log10_sd: float = 0.0,
    noise_percent: float = 0.0,
    replicates: int = 2,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Experiment:
    """Stimulate cells in medium and in blood under a dilution series; read IC50s from an ELISA plate each.

    compound: built-in name or TOML path.   doses_nm: total drug, above zero.   kd_nm, rho, fraction_unbound:
    in place of the compound's and the cells'; unbound is the free fraction in blood, (0, 1].
    donors: 1 to 24.   donor_log10_sd: of their sensitivities and of the TNF-alpha they make.
    Returns `Experiment`; its table has system, donor, dose_nm, well, od, inhibition_percent.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 that lists the missing numbers.
    Source: model culture_monocyte, docs/mechanism.md; read by assays.elisa.
    """
    doses = amounts("doses_nm", doses_nm)
    error = lab.errors(noise_percent, replicates, seed)
    people = _donors(donors, donor_log10_sd, error.seed)
    glue, said = prepared(compound, NEEDS, kd_nm=kd_nm, rho=rho, fraction_unbound=fraction_unbound)
    cells = grow("culture_monocyte", Scenario.of(glue, line=line))
    own = dict(parameters or {}) | ({} if rho is None else {"rho": rho})
    tables, readings, points, curves, marks, plates = [], list[Reading](), {}, {}, list[Mark](), Tables()
    for system in SYSTEMS:
        values = in_system(cells, system, own)
        plate = elisa_plate.wells(_supernatants(cells, doses, values, people), error, system)
        result = elisa.analyse(plate)
        readings += _readings(result, system, cells, values, error)
        tables.append(elisa_plate.read_back(result, plate, system))
        points[system] = tables[-1]["dose_nm"], tables[-1]["inhibition_percent"]
        curves[system] = _line(cells, doses, values)
        marks += provenance.marks(system, provenance.about(glue, "tnf_alpha", system))
        plates |= {f"{system}: {name}": found for name, found in result.tables.items()}
    return Experiment(
        name="tnf_alpha",
        title=TITLE,
        compound=glue.name,
        table=pl.concat(tables),
        readings=(*readings, _shift(readings, cells)),
        assumptions=(
            *said,
            f"drug 1.5 h before LPS, supernatant after {TNF_H:g} h; TNF-alpha as docs/mechanism.md says",
            f"in blood {_unbound(cells, own):g} of the drug is free; nothing else differs",
            "hydrolysis as thalidomide's in blood is not borrowed: pomalidomide would need 180 nM, not 25",
            f"{donors} donor(s), log10 SD {donor_log10_sd:g} in sensitivity and yield",
            error.said,
        ),
        settings={"fraction_unbound": _unbound(cells, own)},
        panels=(Panel(SHOWN, "dose", "inhibition, %", lab.points(points), lab.points(curves), tuple(marks)),),
        parameters=lab.sources({"culture": _behind(cells)}),
        tables=plates,
    )


def _donors(donors: int, donor_log10_sd: float, seed: int) -> tuple[Donor, ...]:
    count = int(at_least("donors", donors, 1, most=24))
    sd = at_least("donor_log10_sd", donor_log10_sd, 0.0, most=2.0)
    drawn = sd * streams.normals(seed, "experiments/tnf_alpha/donors", np.arange(count), 2)
    return tuple(
        Donor(f"donor {i + 1}", float(10.0 ** row[0]), float(10.0 ** row[1])) for i, row in enumerate(drawn)
    )


def _supernatants(
    cells: Culture, doses: lab.Floats, values: Mapping[str, ArrayLike], people: Sequence[Donor]
) -> list[Treated]:
    """TNF-alpha left of every donor at every dose, relative to that donor's stimulated cells."""
    found = []
    for donor in people:
        # A sensitive donor is one whose cells see each dose as a higher one.
        seen = np.concatenate([[0.0], doses * donor.sensitivity])
        made = cells.at(seen, TNF_H, ["tnf"], values, later=LPS)["tnf"]
        found.append(Treated(donor, doses, made[1:] / made[0]))
    return found


def _line(
    cells: Culture, doses: lab.Floats, values: Mapping[str, ArrayLike]
) -> tuple[lab.Floats, lab.Floats]:
    fine = lab.grid(doses)
    made = cells.at(np.concatenate([[0.0], fine]), TNF_H, ["tnf"], values, later=LPS)["tnf"]
    return fine, 100.0 * (1.0 - made[1:] / made[0])


def _readings(
    result: elisa.Result,
    system: str,
    cells: Culture,
    values: Mapping[str, ArrayLike],
    error: lab.Error,
) -> list[Reading]:
    claims = provenance.about(cells.glue, "tnf_alpha", system)
    label = provenance.label(claims, _behind(cells), cells.glue)
    people = {one.donor for one in result.named} - {""}
    joined = "" if len(people) > 1 else next(iter(people), "")
    exact = float(half(cells, values, "tnf", TNF_H, later=LPS)[0])
    found = [
        _of(one.potency, f"IC50, {system}", label, claims, error, donors=joined == "")
        for one in result.named
        if one.donor == joined and one.potency.definition == "absolute"
    ]
    known = float(10.0**exact) if np.isfinite(exact) else None
    found.append(
        Reading(
            f"IC50, {system}, exact",
            known,
            "nM",
            label,
            "=" if known else "none",
            claims=claims,
            note="of the model without an assay" if known else "half is never lost",
        )
    )
    return found


def _of(
    potency: Potency, name: str, label: Label, claims: tuple[str, ...], error: lab.Error, *, donors: bool
) -> Reading:
    reading = Reading.of(name, potency, label, claims=claims, note="pooled over donors" if donors else "")
    # Donors that differ give an interval even where the wells do not err.
    return reading if donors else error.read(reading)


def _shift(readings: Sequence[Reading], cells: Culture) -> Reading:
    exact = {r.name: r.value for r in readings}
    medium, blood = (exact[f"IC50, {system}, exact"] for system in SYSTEMS)
    claims = provenance.about(cells.glue, "tnf_alpha", "shift")
    ratio = blood / medium if medium and blood else None
    label = provenance.label(claims, _behind(cells), cells.glue)
    return Reading(
        "shift, whole blood over PBMC", ratio, "fold", label, "=" if ratio else "none", claims=claims
    )


def _unbound(cells: Culture, own: Mapping[str, float]) -> float:
    return float(np.asarray(in_system(cells, SYSTEMS[1], own)["unbound"]))


def _behind(cells: Culture) -> dict[str, Quantity]:
    """The culture's parameters with the free fraction that blood adds."""
    fraction = cells.glue.pharmacology.fraction_unbound
    return cells.behind | ({"fraction_unbound": fraction} if fraction else {})
