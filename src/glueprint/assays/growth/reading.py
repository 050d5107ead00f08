"""A table of wells to cultures: columns, units and controls checked, signals to fractions of the
control."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import units
from glueprint.assays import simulated
from glueprint.assays.findings import Finding
from glueprint.assays.growth import rates
from glueprint.assays.growth.settings import Settings
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError, nearest

__all__ = ["Culture", "cultures"]

KEYS = ("line", "compound", "experiment")
# Other names under which tables hold the same.
ALIASES = {"line": ("cell_line", "donor"), "compound": ("drug", "sample"), "experiment": ("replicate",)}
RESPONSES = ("viability", "viability_percent", "signal", "count")
ROLES = ("treated", "control", "time0", "blank")
# A mean of the control above this is no fraction of it.
PER_CENT = 10.0
NM = "nM"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Culture:
    """One compound on one line in one experiment.

    dose: (m,) in `unit`, 0 for controls.   viability: (m,) fraction of the control's mean.
    wells: (m,) their names.   left_out: rows of `quality.exclusions.EXCLUDED`.
    control_se, control_wells: standard error of that mean as a share of it (NaN with fewer than two wells),
    and wells.
    at_zero, at_zero_se: cells at time zero as a fraction of the control, None where unknown.
    time_h, doubling_time_h: of the assay and of untreated cells, None where not said.
    """

    line: str
    compound: str
    experiment: str
    unit: str
    dose: Floats
    viability: Floats
    control_se: float
    control_wells: int
    at_zero: float | None
    at_zero_se: float
    time_h: float | None
    doubling_time_h: float | None
    wells: tuple[str, ...] = ()
    left_out: tuple[dict[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """Line, compound and experiment, for findings."""
        return " ".join(part for part in (self.line, self.compound, self.experiment) if part)

    def without(self, wells: frozenset[str]) -> Culture:
        """The same culture without some of its wells; the control's mean stays."""
        kept = np.array([well not in wells for well in self.wells])
        names = tuple(well for well in self.wells if well not in wells)
        return replace(self, dose=self.dose[kept], viability=self.viability[kept], wells=names)

    @property
    def divisions(self) -> float | None:
        """Doublings of the control during the assay: from time zero, or from time and doubling time."""
        if self.at_zero is not None and 0.0 < self.at_zero < 1.0:
            return -math.log2(self.at_zero)
        if self.at_zero is None and self.time_h and self.doubling_time_h:
            return self.time_h / self.doubling_time_h
        return None


def cultures(table: pl.DataFrame, settings: Settings, findings: list[Finding]) -> list[Culture]:
    """The cultures of a table, each normalised to its own control.

    table: dose_nm (or dose with dose_unit), one of viability, viability_percent, signal (raw; with rows of
    role control or dose 0, and of role time0 and blank where measured) or generation with count; optional
    line, compound, experiment, time_h, doubling_time_h. A table that is simulated says so (GP-A054).
    Raises InputError GP-A160 (columns), GP-A161 (values), GP-A162 (units), GP-A164 (no control), GP-A165
    (per cent), GP-A172 (generations), GP-A175 (roles).
    """
    findings += simulated.of_table(table)
    found = _named(table)
    if {"generation", "count"} <= set(found.columns):
        found = _divided(found, settings)
    response = next((name for name in RESPONSES if name in found.columns and name != "count"), None)
    if response is None or not {"dose_nm", "dose"} & set(found.columns):
        missing = "dose_nm" if response else "viability"
        raise InputError(
            "GP-A160",
            f"no column {missing}{nearest(missing, table.columns)}",
            expected="dose_nm (or dose with dose_unit), and viability, viability_percent or signal; found "
            + ", ".join(table.columns),
            next_step="rename or add the column",
        )
    found, said = exclusions.marked(found, settings.exclude)
    findings += said
    every = _rows(found, response, settings, findings)
    rows = [row for row in every if not row["exclude"]]
    if not any(row["role"] == "treated" for row in rows):
        raise InputError(
            "GP-A161",
            "no treated well with a reading",
            where=f'column "{response}"',
            expected="doses above zero",
            next_step="give the whole table",
        )
    if not any(row["experiment"] for row in rows):
        findings.append(
            Finding(
                "GP-A168",
                "note",
                "no column experiment: all wells count as one experiment, n = 1",
                "",
                "one label an experiment",
                "wells of one day are not independent experiments",
            )
        )
    keys = dict.fromkeys(tuple(row[key] for key in KEYS) for row in rows if row["role"] == "treated")
    own: dict[tuple[str, ...], list[dict[str, Any]]] = {key: [] for key in keys}
    shared = []
    for row in rows:
        labels = tuple(row[name] for name in KEYS)
        if labels in own:
            own[labels].append(row)
        elif row["role"] != "treated":
            shared.append(row)
    out = [row for row in every if row["exclude"]]
    return [
        _culture(key, [*mine, *(row for row in [*shared, *out] if _belongs(row, key))], response)
        for key, mine in own.items()
    ]


def _named(table: pl.DataFrame) -> pl.DataFrame:
    found = table
    for ours, others in ALIASES.items():
        theirs = next((name for name in others if name in found.columns), None)
        if ours not in found.columns and theirs is not None:
            found = found.rename({theirs: ours})
    return found


def _number(value: Any, row: int, column: str) -> float | None:
    """A finite number, or None for an empty cell."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            "GP-A161",
            f'"{value}"',
            where=f'row {row}, column "{column}"',
            expected="a finite number, or an empty cell",
            next_step="correct the value, or empty the cell to leave the well out",
        )
    return number


def _rows(
    found: pl.DataFrame, response: str, settings: Settings, findings: list[Finding]
) -> list[dict[str, Any]]:
    """One dictionary a well with numbers; empty responses are left out and counted."""
    rows, empty = [], 0
    for i, row in enumerate(found.to_dicts()):
        role = str(row.get("role") or "").strip().lower()
        if role and role not in ROLES:
            raise InputError(
                "GP-A175",
                f'"{row["role"]}"{nearest(role, ROLES)}',
                where=f'row {i}, column "role"',
                expected="one of " + ", ".join(ROLES),
                next_step="correct the role",
            )
        value = _number(row[response], i, response)
        if value is None:
            empty += 1
            continue
        dose, unit = _dose(row, i, settings, needed=role in ("", "treated"))
        if not role:
            role = "control" if dose == 0.0 else "treated"
        rows.append(
            {key: str(row.get(key) or "").strip() for key in KEYS}
            | {
                "name": _name(row, i),
                "exclude": row[exclusions.COLUMN],
                "role": role,
                "dose": dose,
                "unit": unit,
                "value": value / 100.0 if response == "viability_percent" else value,
            }
            | {
                name: _number(row.get(name), i, name)
                for name in ("time_h", "doubling_time_h", "signal_at_zero")
            }
        )
    if empty:
        findings.append(Finding("GP-A174", "note", f"{empty} wells without a reading are left out"))
    return rows


def _name(row: dict[str, Any], i: int) -> str:
    """A well by plate and name where the table has them, else the row, counted from 1."""
    well, plate = (str(row.get(column) or "").strip() for column in ("well", "plate"))
    if not well:
        return f"row {i + 1}"
    return f"{plate}:{well}" if plate else well


def _dose(row: dict[str, Any], i: int, settings: Settings, *, needed: bool) -> tuple[float, str]:
    """The dose of a well and its unit: nM where it is molar, else as given."""
    column = "dose_nm" if "dose_nm" in row else "dose"
    value = _number(row.get(column), i, column)
    if value is None or value < 0.0:
        if value is None and not needed:
            return 0.0, ""
        raise InputError(
            "GP-A161",
            "no dose" if value is None else f"{value:g}",
            where=f'row {i}, column "{column}"',
            expected="a dose of zero or more",
            next_step="correct the dose; 0 is the control",
        )
    if column == "dose_nm":
        return value, NM
    unit = str(row.get("dose_unit") or settings.dose_unit or "").strip()
    if not unit and value == 0.0:
        return 0.0, ""
    if not unit:
        raise InputError(
            "GP-A162",
            f"a dose of {value:g} without a unit",
            where=f'row {i}, column "dose_unit"',
            expected="a unit, such as nM, uM or ug/mL",
            next_step="add the column dose_unit, or say --dose-unit",
        )
    try:
        return value * _in_nm(unit), NM
    except InputError:
        try:
            units.convert(1.0, unit, "ug/mL")
        except InputError as error:
            raise InputError(
                "GP-A162",
                f'a dose in "{unit}"',
                where=f'row {i}, column "dose_unit"',
                expected="a unit of concentration, such as nM, uM or ug/mL",
                next_step="correct the unit",
            ) from error
        return value, unit


@lru_cache(maxsize=32)
def _in_nm(unit: str) -> float:
    """How many nM one of this unit is; kept, because a table asks for every well."""
    return units.convert(1.0, unit, NM)


def _culture(key: tuple[str, ...], rows: list[dict[str, Any]], response: str) -> Culture:
    mine = [row for row in rows if not row["exclude"]]
    name = " ".join(part for part in key if part)
    of = {role: [row for row in mine if row["role"] == role] for role in ROLES}
    treated, unit = of["treated"], _unit(of["treated"], name)
    blank = float(np.mean([row["value"] for row in of["blank"]])) if of["blank"] else 0.0
    control = np.array([row["value"] for row in of["control"]]) - blank
    raw = response == "signal"
    if raw and not (control.size and control.mean() > 0.0):
        raise InputError(
            "GP-A164",
            "no control above the blank",
            where=name,
            expected="wells of dose 0 or role control with a signal",
            next_step="give the untreated wells",
        )
    scale = float(control.mean()) if raw else 1.0
    if not raw:
        typical = (
            float(np.median(control)) if control.size else float(np.median([row["value"] for row in treated]))
        )
        if typical > PER_CENT:
            raise InputError(
                "GP-A165",
                f"a control of {typical:g}",
                where=f'{name}, column "{response}"',
                expected="fractions of the control, near 1",
                next_step="name the column viability_percent",
            )
    known = control.size > 1 and float(control.std()) > 0.0
    start, start_se = _at_zero(of, mine, blank, scale if raw else 1.0)
    dose = [0.0] * control.size + [row["dose"] for row in treated]
    values = [*(control / scale).tolist(), *((row["value"] - blank) / scale for row in treated)]
    first = treated[0]
    left_out = [
        {
            "where": row["name"],
            "curve": name,
            "role": row["role"],
            "sample": key[1],
            "x": row["dose"],
            "value": (row["value"] - blank) / scale if row["role"] in ("treated", "control") else None,
            "reason": row["exclude"],
        }
        for row in rows
        if row["exclude"]
    ]
    return Culture(
        key[0],
        key[1],
        key[2],
        unit,
        np.array(dose),
        np.array(values),
        control_se=float(control.std(ddof=1) / math.sqrt(control.size) / control.mean())
        if known
        else math.nan,
        control_wells=int(control.size),
        at_zero=start,
        at_zero_se=start_se,
        time_h=first["time_h"],
        doubling_time_h=first["doubling_time_h"],
        wells=tuple(row["name"] for row in [*of["control"], *treated]),
        left_out=tuple(left_out),
    )


def _belongs(row: dict[str, Any], key: tuple[str, ...]) -> bool:
    """Treated wells by all labels; controls, time zero and blanks are shared where they leave labels
    empty."""
    if row["role"] == "treated":
        return tuple(row[name] for name in KEYS) == key
    return all(row[name] in ("", wanted) for name, wanted in zip(KEYS, key, strict=True))


def _unit(treated: list[dict[str, Any]], name: str) -> str:
    used = sorted({row["unit"] for row in treated if row["dose"] > 0.0})
    if len(used) > 1:
        raise InputError(
            "GP-A162",
            f"doses in {' and in '.join(used)}",
            where=name,
            expected="molar doses, or all in one unit",
            next_step="convert with the molar mass",
        )
    return used[0] if used else NM


def _at_zero(
    of: dict[str, list[dict[str, Any]]], mine: list[dict[str, Any]], blank: float, scale: float
) -> tuple[float | None, float]:
    """Cells at time zero over the control, and the error of their mean as a share of it."""
    found = np.array([row["value"] for row in of["time0"]]) - blank
    if found.size == 0:
        found = np.unique(
            [row["signal_at_zero"] - blank for row in mine if row["signal_at_zero"] is not None]
        )
    if found.size == 0:
        return None, 0.0
    mean = float(found.mean())
    error = float(found.std(ddof=1)) / math.sqrt(found.size) / mean if found.size > 1 and mean > 0.0 else 0.0
    return mean / scale, error


def _divided(found: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """One row a well with the division index chosen as its signal, from one row a generation."""
    labels = [name for name in found.columns if name not in ("generation", "count", "signal")]
    wells: dict[tuple[Any, ...], dict[int, float]] = {}
    for i, row in enumerate(found.to_dicts()):
        generation, count = _number(row["generation"], i, "generation"), _number(row["count"], i, "count")
        if (
            generation is None
            or generation < 0
            or generation != int(generation)
            or generation > 60
            or (count or 0.0) < 0.0
        ):
            raise InputError(
                "GP-A172",
                f'generation "{row["generation"]}" with count "{row["count"]}"',
                where=f"row {i}",
                expected="whole generations from 0 and counts of zero or more",
                next_step="correct the row",
            )
        well = wells.setdefault(tuple(row[name] for name in labels), {})
        if int(generation) in well:
            raise InputError(
                "GP-A172",
                f"generation {int(generation)} twice in one well",
                where=f"row {i}",
                expected="one row a generation of a well",
                next_step="add a column well, so that wells are told apart",
            )
        well[int(generation)] = count or 0.0
    rows = []
    for key, counts in wells.items():
        cells = np.array([counts.get(i, 0.0) for i in range(max(counts) + 1)])
        index = rates.divided_percent(cells) if settings.index == "divided" else rates.division_index(cells)
        rows.append(
            dict(zip(labels, key, strict=True)) | {"signal": float(index) if cells.sum() > 0.0 else None}
        )
    return pl.DataFrame(rows, infer_schema_length=None)
