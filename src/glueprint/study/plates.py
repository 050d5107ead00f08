"""From the plate: simulated raw files of the protocols, analysed as a laboratory analyses its own.

No raw data of the reference compound are public. The files come from a truth that is known, are parsed from
their bytes by the readers, and go through the same analyses as any others; what comes out stands beside the
truth. It shows that the way from the plate works; it says nothing about a drug.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from glueprint.assays import blot, degradation, elisa, growth, layout, polarization, readers, twins
from glueprint.assays.contract import Observations
from glueprint.assays.findings import SCHEMA as FINDING
from glueprint.assays.findings import Finding
from glueprint.assays.twins import Twin
from glueprint.assays.twins import blot as blot_twin
from glueprint.assays.twins import elisa as elisa_twin
from glueprint.assays.twins import fp as fp_twin
from glueprint.assays.twins import growth as growth_twin
from glueprint.assays.wells import Wells
from glueprint.curves import Potency
from glueprint.mechanism import Compound, compounds

__all__ = ["ANALYSES", "ESTIMATES", "compute", "is_of", "truths"]

TEXT, NUMBER, LIST = pl.String(), pl.Float64(), pl.List(pl.String())
TWINS = pl.Schema({"protocol": TEXT, "title": TEXT, "simulated": TEXT, "files": LIST, "commands": LIST})
ESTIMATES = pl.Schema(
    {
        "protocol": TEXT, "quantity": TEXT, "of": TEXT, "experiments": pl.Int64(), "unit": TEXT,
        "truth": NUMBER, "relation": TEXT, "value": NUMBER, "low": NUMBER, "high": NUMBER,
        "holds": pl.Boolean(),
    }
)  # fmt: skip
FINDINGS = pl.Schema({"protocol": pl.String, **FINDING})
# The DC50s are read here where it was measured: the loss has levelled off, the doses are on both sides.
TIME_H = 6.0
Row = dict[str, Any]


@dataclass(frozen=True)
class Analysed:
    """What one protocol gives: estimates beside the truth, the tables of its figure, and the findings."""

    estimates: tuple[Row, ...]
    tables: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]


def compute(protocols: Iterable[str], seed: int) -> dict[str, pl.DataFrame]:
    """Simulate and analyse each protocol.

    protocols: out of `ANALYSES`.   seed: of the twins; the same seed gives the same tables.
    Returns `plates` (one row a protocol: files, commands, what the files say of themselves),
    `plates_estimates` (truth and estimate with its 95 % interval), `plates_findings`, and for each protocol
    the tables of its figure, `plates_PROTOCOL_TABLE`.
    Source of the truths: docs/twins.md.
    """
    rows, estimates, findings = list[Row](), list[Row](), list[Row]()
    tables: dict[str, pl.DataFrame] = {}
    for protocol in protocols:
        twin = twins.simulate(protocol, seed=seed)
        found = ANALYSES[protocol](twin)
        mark = next(note.message for note in found.findings if note.code == "GP-A054")
        about = {"protocol": protocol, "title": twins.PROTOCOLS[protocol].title, "simulated": mark}
        rows.append(about | {"files": list(twin.files), "commands": list(twin.commands)})
        estimates += [{"protocol": protocol} | row for row in found.estimates]
        findings += [{"protocol": protocol} | finding.as_dict() for finding in found.findings]
        tables |= {f"plates_{protocol}_{name}": table for name, table in found.tables.items()}
    return {
        "plates": pl.DataFrame(rows, schema=TWINS),
        "plates_estimates": pl.DataFrame(estimates, schema=ESTIMATES),
        "plates_findings": pl.DataFrame(findings, schema=FINDINGS),
        **tables,
    }


def is_of(compound: Compound, protocols: Iterable[str]) -> bool:
    """Whether the truths of all these protocols are settings for this compound: by name, and unchanged."""
    if compound.name not in compounds.names() or compound != compounds.load(compound.name):
        return False
    return all(compound.name in SUBSTANCES[name](twins.PROTOCOLS[name].model()) for name in protocols)


def truths(protocols: Iterable[str]) -> str:
    """All settings behind the files of these protocols, as text: what decides them besides the seed."""
    return "\n".join(f"{name} {twins.PROTOCOLS[name].model().model_dump_json()}" for name in protocols)


def _wells(twin: Twin) -> Wells:
    plate = readers.parse(twin.files["plate.txt"], "plate.txt")
    return layout.apply(plate, layout.parse(twin.files["layout.toml"].decode(), "layout.toml"))


def _fp(twin: Twin) -> Analysed:
    truth, wells = cast(fp_twin.Truth, twin.truth), _wells(twin)
    result = polarization.analyse(wells)
    rows = [
        _row("Ki", name, ki_nm, found) for name, ki_nm in truth.ki_nm.items() for found in result.of(name)
    ]
    return _analysed(rows, result, ("wells", "curves", "potencies"))


def _elisa(twin: Twin) -> Analysed:
    truth, wells = cast(elisa_twin.Truth, twin.truth), _wells(twin)
    result = elisa.analyse(wells)
    rows = []
    for one in result.named:
        kind = one.potency.definition
        if one.donor:
            own = twin.drawn[one.donor.removesuffix(" 1")]
            wanted = own[f"{kind}_ic50_nm"][one.sample]
        else:
            centre = truth.ic50_nm[one.sample]
            wanted = centre if kind == "relative" else elisa_twin.absolute_nm(truth, centre)
        who = one.donor.removesuffix(" 1") or f"all {one.potency.n} donors"
        if wanted is not None and (kind == "relative" or not one.donor):
            rows.append(_row(f"IC50, {kind}", f"{one.sample}, {who}", wanted, one.potency))
    shown = ("standards", "dilutions", "precision", "ranges", "inhibition", "donors")
    return _analysed(rows, result, shown)


def _blot(twin: Twin) -> Analysed:
    truth = cast(blot_twin.Truth, twin.truth)
    bands, findings = [], []
    for nth in range(1, truth.experiments + 1):
        image = blot.image.parse(twin.files[f"membrane-{nth}.tif"], f"membrane-{nth}.tif")
        boxes = blot.boxes.parse(twin.files[f"boxes-{nth}.toml"].decode(), f"boxes-{nth}.toml")
        found = blot.analyse(blot.Scan(image, boxes))
        bands.append(found.tables["bands"])
        findings += list(found.findings)
    result = degradation.analyse(Observations(pl.concat(bands), tuple(findings)))
    at = TIME_H if TIME_H in truth.times_h else max(truth.times_h)
    rows = [row for point in result.points if point.time_h == at for row in _loss(point, truth)]
    return _analysed(rows, result, ("readings", "curves", "points"))


def _loss(point: degradation.TimePoint, truth: blot_twin.Truth) -> list[Row]:
    """Both DC50s and Dmax of one target beside what its turnover says."""
    target = truth.targets[point.target]
    kinetics = degradation.Kinetics(target.k_deg_per_h, target.k_max_per_h, target.ec50_nm, target.slope)
    at = f"at {point.time_h:g} h"
    dmax, relative, absolute = (
        float(read(point.time_h))
        for read in (kinetics.dmax, kinetics.relative_dc50_nm, kinetics.absolute_dc50_nm)
    )
    low, high = point.dmax_low, point.dmax_high
    return [
        _row(f"DC50 {at}, relative", point.target, relative, point.relative),
        _row(f"DC50 {at}, absolute", point.target, absolute, point.absolute),
        {
            "quantity": f"Dmax {at}", "of": point.target, "experiments": point.n, "unit": "fraction",
            "truth": dmax, "relation": "=", "value": point.dmax, "low": low, "high": high,
            "holds": (low or 0.0) <= dmax <= (1.0 if high is None else high),
        },
    ]  # fmt: skip


def _growth(twin: Twin) -> Analysed:
    truth, wells = cast(growth_twin.Truth, twin.truth), _wells(twin)
    result = growth.analyse(wells)
    rows = []
    for line in truth.doubling_time_h:
        for name, ec50_nm in truth.ec50_nm.items():
            # Where the logistic of the growth rate crosses one half.
            odds = (1.0 - truth.bottom) / (0.5 - truth.bottom) - 1.0
            wanted = {"GEC50": ec50_nm, "GR50": ec50_nm * odds ** (1.0 / truth.slope)}
            for definition, value in wanted.items():
                found = result.of(line, name, definition)
                if found is not None:
                    rows.append(_row(f"{definition} at {truth.time_h:g} h", f"{name}, {line}", value, found))
    return _analysed(rows, result, ("wells", "fitted", "potencies"))


def _row(quantity: str, of: str, truth_nm: float, found: Potency) -> Row:
    return {
        "quantity": quantity, "of": of, "experiments": found.n, "unit": "nM", "truth": truth_nm,
        "relation": found.relation, "value": found.value_nm, "low": found.low_nm, "high": found.high_nm,
        "holds": _holds(found, truth_nm),
    }  # fmt: skip


def _holds(found: Potency, truth_nm: float) -> bool:
    """Whether what the potency claims is true; an open bound holds all on its side."""
    edge = found.value_nm if found.relation in ("<", ">") else None
    low = found.low_nm if found.low_nm is not None else edge if found.relation == ">" else None
    high = found.high_nm if found.high_nm is not None else edge if found.relation == "<" else None
    return (low or 0.0) <= truth_nm <= (math.inf if high is None else high)


def _analysed(rows: Iterable[Row], result: Any, shown: Iterable[str]) -> Analysed:
    return Analysed(tuple(rows), {name: result.tables[name] for name in shown}, tuple(result.findings))


ANALYSES: Mapping[str, Callable[[Twin], Analysed]] = {
    "fp": _fp, "elisa": _elisa, "blot": _blot, "growth": _growth,
}  # fmt: skip
# The substances that each protocol's truth is about, by name.
SUBSTANCES: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "fp": lambda truth: truth.ki_nm,
    "elisa": lambda truth: truth.ic50_nm,
    "blot": lambda truth: (truth.compound,),
    "growth": lambda truth: truth.ec50_nm,
}
