"""A table of wells to cultures: columns, units and controls checked, signals to fractions of the
control."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import units
from glueprint.assays import simulated
from glueprint.assays.findings import Finding, how_many
from glueprint.assays.growth import levels
from glueprint.assays.growth.generations import divided
from glueprint.assays.growth.settings import Settings
from glueprint.assays.intake import RESPONSES, Response, canonical, is_vehicle, meaning, number, role_of
from glueprint.assays.intake.headers import dose_column
from glueprint.assays.intake.undosed import LEFT_OUT
from glueprint.assays.quality import ceilings, exclusions
from glueprint.errors import InputError, nearest

__all__ = ["Culture", "checked", "cultures"]

KEYS = ("line", "compound", "experiment")
ROLES = ("treated", "control", "time0", "blank")
# Responses of a table of cultures; the others of the intake are of proteins.
GROWTH = ("viability", "viability_percent", "inhibition", "inhibition_percent", "signal")
# No culture doubles twelve times in an assay: such a start is on another scale than the control.
LEAST_AT_ZERO = 2.0**-12
# A vehicle at so many doses above zero is a compound of its own.
SERIES = 4
NM = "nM"
Floats = NDArray[np.float64]
Row = dict[str, Any]
# line, compound, experiment, time
Key = tuple[str, str, str, float | None]


@dataclass(frozen=True)
class Culture:
    """One compound on one line in one experiment at one time.

    dose: (m,) in `unit`, 0 for controls.   viability: (m,) fraction of the control's mean.
    wells: (m,) their names.   left_out: rows of `contract.EXCLUDED`.
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
        if self.at_zero is not None and LEAST_AT_ZERO < self.at_zero < 1.0:
            return -math.log2(self.at_zero)
        if self.at_zero is None and self.time_h and self.doubling_time_h:
            return self.time_h / self.doubling_time_h
        return None


def checked(table: pl.DataFrame, settings: Settings | None = None) -> tuple[Finding, ...]:
    """What is noticed of a table before any curve is fitted; raises what `cultures` raises."""
    findings: list[Finding] = []
    cultures(table, settings or Settings(), findings)
    return tuple(findings)


def cultures(table: pl.DataFrame, settings: Settings, findings: list[Finding]) -> list[Culture]:
    """The cultures of a table, each normalised to its own control.

    table: doses, one of viability, viability_percent, inhibition, inhibition_percent, signal (raw; with rows
    of
    role control or dose 0, and of role time0 and blank where measured) or generation with count; optional
    line, compound, experiment, time_h, doubling_time_h, replicate (technical); under any of the names of
    docs/assays.md. A table that is simulated says so (GP-A054).
    Raises InputError GP-A160 (columns), GP-A161 (values), GP-A162 (units), GP-A164 (no control), GP-A172
    (generations), GP-A175 (roles), and GP-A201 to GP-A214 for what cannot be what it says.
    """
    findings += simulated.of_table(table)
    given = divided(table, settings) if {"generation", "count"} <= set(table.columns) else table
    read = canonical(given)
    findings += read.findings
    found, response = read.table, read.response
    if response not in GROWTH or not {"dose_nm", "dose"} & set(found.columns):
        missing = "dose_nm" if response else "viability"
        raise InputError(
            "GP-A160",
            f"no column {missing}{nearest(missing, table.columns)}",
            expected="dose_nm (or dose with dose_unit), and viability, viability_percent, "
            "inhibition_percent or signal; found " + ", ".join(table.columns),
            next_step="rename or add the column",
        )
    found, said = exclusions.marked(found, settings.exclude)
    findings += said
    every = _rows(found, response, settings, findings)
    rows = [row for row in every if not row["exclude"]]
    out = [row for row in every if row["exclude"]]
    _said_of_experiments(found, rows, findings)
    keys = dict.fromkeys(_key(row) for row in rows if row["role"] == "treated")
    _unused((row for row in rows if not any(_belongs(row, key) for key in keys)), findings)
    made = []
    for key in keys:
        mine, beside = _mine(key, rows, out, (response, findings))
        made.append(_culture(key, mine, beside, response))
        raw = not RESPONSES[response].relative
        apart = levels.vehicles_apart(made[-1].name, mine) or (
            levels.two_levels(made[-1].name, mine) if raw else []
        )
        findings += [one for one in apart if one not in findings]
    return _meant(made, response, findings)


def _mine(
    key: Key, rows: list[Row], out: list[Row], context: tuple[str, list[Finding]]
) -> tuple[list[Row], list[Row]]:
    """The rows of a culture and those left out of it; raw signals of several plates on one level."""
    response, findings = context
    mine, beside = ([row for row in part if _belongs(row, key)] for part in (rows, out))
    if RESPONSES[response].relative:
        return mine, beside
    mine, beside, lost = levels.levelled(mine, beside)
    if lost:
        name = " ".join(part for part in key[:3] if part)
        said = (
            f"no control on plate {', '.join(lost)}: its signals are divided by the controls of other plates"
        )
        findings.append(
            Finding(
                "GP-A220", "warning", said, name, "controls on every plate", "put controls on every plate"
            )
        )
    return mine, beside


def _said_of_experiments(found: pl.DataFrame, rows: list[Row], findings: list[Finding]) -> None:
    if any(row["experiment"] for row in rows):
        return
    said = "no column experiment: all wells count as one experiment, n = 1"
    if "replicate" in found.columns:
        said = '"replicate" is taken as technical: wells of one experiment, n = 1'
    remedy = "wells of one day are not independent experiments; independent ones have a column experiment"
    findings.append(Finding("GP-A168", "note", said, "", "one label an experiment", remedy))


def _unused(rows: Iterable[Row], findings: list[Finding]) -> None:
    """Name the wells that no curve takes, with the reason."""
    reasons: Counter[str] = Counter()
    for row in rows:
        labels = " ".join(str(row[name]) for name in (*KEYS, "time_h") if row[name])
        why = row["why"] or f"{row['role']} of {labels}, where nothing was treated"
        reasons[why] += 1
    if reasons:
        text = "; ".join(f"{count}: {why}" for why, count in reasons.items())
        message = f"{sum(reasons.values())} wells are not used: {text}"
        findings.append(
            Finding("GP-A212", "warning", message, "", "", "correct their labels if they belong to a curve")
        )


def _rows(found: pl.DataFrame, response: str, settings: Settings, findings: list[Finding]) -> list[Row]:
    """One dictionary a well with numbers; empty responses are left out and counted."""
    series = _vehicle_series(found)
    rows, raw, empty = list[Row](), list[float](), 0
    for i, row in enumerate(found.to_dicts()):
        role = _role(row, i)
        value = number(row[response], i, response, "GP-A161")
        if value is None:
            empty += 1
            continue
        if not row[exclusions.COLUMN]:
            raw.append(value)
        compound = str(row.get("compound") or "").strip()
        if role == "" and compound and role_of(compound) in ("blank", "time0"):
            role, compound = str(role_of(compound)), ""
        vehicle = bool(compound) and is_vehicle(compound) and compound not in series
        hours = {
            name: number(row.get(name), i, name, "GP-A161")
            for name in ("time_h", "doubling_time_h", "signal_at_zero")
        }
        dose, unit = _dose(row, i, settings, needed=role in ("", "treated") and not vehicle)
        said = str(row.get("role"))
        name, left_out = said.removeprefix(LEFT_OUT), said.startswith(LEFT_OUT)
        why = "" if role != "unused" else name if left_out else f'role "{said}"'
        labels = {key: str(row.get(key) or "").strip() for key in KEYS} | {"compound": compound}
        if role in ("", "treated", "control"):
            start = role != "control" and not dose and hours["time_h"] == 0.0
            role = "time0" if start else "control" if not dose or vehicle else role or "treated"
            why = "" if role != "treated" or hours["time_h"] != 0.0 else "treated at time 0"
        rows.append(
            labels
            | {"plate": str(row.get("plate") or ""), "vehicle": compound if vehicle else ""}
            | ({"compound": "", "dose": 0.0} if vehicle else {"dose": dose})
            | {
                "name": _name(row, i),
                "exclude": row[exclusions.COLUMN],
                "role": "unused" if why else role,
                "unit": unit,
                "value": RESPONSES[response].fraction(value),
                "why": why,
            }
            | hours
        )
    used = [row for row in rows if not row["exclude"]]
    findings += _check_columns(used, raw, response, found)
    hours_said = [row["time_h"] for row in used if row["role"] == "treated" and row["time_h"] is not None]
    findings += meaning.unusual_hours("time_h", hours_said, lanes=False)
    if empty:
        findings.append(Finding("GP-A174", "note", f"{how_many(empty, 'wells')} left out without a reading"))
    return rows


def _name(row: Row, i: int) -> str:
    """A well by plate and name where the table has them, else the row, counted from 1."""
    well, plate = (str(row.get(column) or "").strip() for column in ("well", "plate"))
    if not well:
        return f"row {i + 1}"
    return f"{plate}:{well}" if plate else well


def _check_columns(rows: list[Row], raw: list[float], response: str, found: pl.DataFrame) -> list[Finding]:
    """What can be told of whole columns: something treated, the scale, the hours, doses that dissolve, and
    signals that end at one number. What cannot be is refused, what is odd is returned."""
    if not any(row["role"] == "treated" for row in rows):
        raise InputError(
            "GP-A161",
            "no treated well with a reading",
            where=f'column "{response}"',
            expected="doses above zero",
            next_step="give the whole table",
        )
    meaning.refused(meaning.scale(response, RESPONSES[response], np.array(raw)))
    for name in ("time_h", "doubling_time_h"):
        meaning.refused(meaning.hours(name, [row[name] for row in rows if row[name] is not None]))
    molar = [row["dose"] for row in rows if row["unit"] == NM]
    column = dose_column(found.columns)
    findings = meaning.doses(column, [], molar)
    meaning.refused(findings)
    if not RESPONSES[response].relative:
        for plate in dict.fromkeys(row["plate"] for row in rows):
            mine = [row for row in rows if row["plate"] == plate]
            where = f'plate "{plate}"' if plate else f'column "{response}"'
            findings += ceilings.ceiling([row["value"] for row in mine], [row["name"] for row in mine], where)
    return findings


def _role(row: Row, i: int) -> str:
    role = role_of(row.get("role"))
    if role is None:
        raise InputError(
            "GP-A175",
            f'"{row["role"]}"{nearest(str(row["role"]).lower(), ROLES)}',
            where=f'row {i + 1}, column "role"',
            expected="one of " + ", ".join(ROLES) + ", or a word for one of them",
            next_step="correct the role",
        )
    return role


def _vehicle_series(found: pl.DataFrame) -> set[str]:
    """Vehicles that were titrated like a compound."""
    column = dose_column(found.columns)
    if not column or "compound" not in found.columns:
        return set()
    dosed = found.filter(pl.col(column).cast(pl.Float64, strict=False) > 0.0)
    doses = dosed.group_by(pl.col("compound").cast(pl.String).str.strip_chars()).agg(
        pl.col(column).n_unique()
    )
    return {str(name) for name, count in doses.rows() if count >= SERIES and is_vehicle(name)}


def _dose(row: Row, i: int, settings: Settings, *, needed: bool) -> tuple[float, str]:
    """The dose of a well and its unit: nM where it is molar, else as given."""
    column = dose_column(row)
    value = number(row.get(column), i, column, "GP-A161")
    if value is None or value < 0.0:
        if value is None and not needed:
            return 0.0, ""
        raise InputError(
            "GP-A161",
            "no dose" if value is None else f"{value:g}",
            where=f'row {i + 1}, column "{column}"',
            expected="a dose of zero or more",
            next_step="correct the dose; 0 is the control",
        )
    if column == "dose_nm":
        return value, NM
    unit = str(row.get("dose_unit") or settings.dose_unit or "").strip()
    if not unit and (value == 0.0 or not needed):
        return value, ""
    if not unit:
        raise InputError(
            "GP-A162",
            f"a dose of {value:g} without a unit",
            where=f'row {i + 1}, column "dose_unit"',
            expected="a unit, such as nM, uM or ug/mL",
            next_step="add the column dose_unit, or say --dose-unit",
        )
    try:
        return value * _in_nm(unit), NM
    except InputError:
        try:
            units.convert(1.0, unit, "ug/mL")
        except InputError as error:
            if not needed:
                return value, unit
            raise InputError(
                "GP-A162",
                f'a dose in "{unit}"',
                where=f'row {i + 1}, column "dose_unit"',
                expected="a unit of concentration, such as nM, uM or ug/mL",
                next_step="correct the unit",
            ) from error
        return value, unit


@lru_cache(maxsize=32)
def _in_nm(unit: str) -> float:
    """How many nM one of this unit is; kept, because a table asks for every well."""
    return units.convert(1.0, unit, NM)


def _culture(key: Key, mine: list[Row], out: list[Row], response: str) -> Culture:
    name = " ".join(part for part in key[:3] if part)
    of = {role: [row for row in mine if row["role"] == role] for role in ROLES}
    treated, unit = of["treated"], _unit(of["treated"], name)
    blank = float(np.mean([row["value"] for row in of["blank"]])) if of["blank"] else 0.0
    control = np.array([row["value"] for row in of["control"]]) - blank
    raw = not RESPONSES[response].relative
    if raw and not (control.size and control.mean() > 0.0):
        raise InputError(
            "GP-A164",
            "no control above the blank",
            where=name,
            expected="wells of dose 0, role control or a vehicle's name, with a signal",
            next_step="give the untreated wells",
        )
    scale = float(control.mean()) if raw else 1.0
    known = control.size > 1 and float(control.std()) > 0.0 and float(control.mean()) != 0.0
    start, start_se = _at_zero(of, mine, blank, scale)
    dose = [0.0] * control.size + [row["dose"] for row in treated]
    values = [*(control / scale).tolist(), *((row["value"] - blank) / scale for row in treated)]
    left_out = [
        {
            "where": row["name"],
            "curve": name,
            "role": row["role"],
            "sample": key[1],
            "x": row["dose"],
            "value": (row["value"] - blank) / scale
            if row["role"] in ("treated", "control") and row["value"] is not None
            else None,
            "reason": row["exclude"],
        }
        for row in out
    ]
    return Culture(
        *key[:3],
        unit,
        np.array(dose),
        np.array(values),
        control_se=float(control.std(ddof=1) / math.sqrt(control.size) / control.mean())
        if known
        else math.nan,
        control_wells=int(control.size),
        at_zero=start,
        at_zero_se=start_se,
        time_h=key[3],
        doubling_time_h=treated[0]["doubling_time_h"],
        wells=tuple(row["name"] for row in [*of["control"], *treated]),
        left_out=tuple(left_out),
    )


def _meant(made: list[Culture], response: str, findings: list[Finding]) -> list[Culture]:
    """The cultures that are what their column says; of the others a refusal is told, and all wrong is an
    error."""
    kept, refusals = list[Culture](), list[Finding]()
    for one in made:
        none, when = one.dose == 0.0, f"{one.time_h:g} h" if one.time_h else ""
        where = " ".join(part for part in (one.name, when) if part)
        asked = Response(
            response, RESPONSES[response], one.dose[~none], one.viability[~none], one.viability[none], where
        )
        problems = asked.problems()
        wrong = [problem for problem in problems if problem.severity == "refusal"]
        findings += [problem for problem in problems if problem.severity != "refusal"]
        refusals += [
            replace(problem, next_step=f"{problem.next_step}; no potency of it is given")
            for problem in wrong[:1]
        ]
        if not wrong:
            kept.append(one)
    if not kept:
        meaning.refused(refusals)
    findings += refusals
    return kept


def _key(row: Row) -> Key:
    return row["line"], row["compound"], row["experiment"], row["time_h"]


def _belongs(row: Row, key: Key) -> bool:
    """Treated wells by all labels and the time; controls, time zero and blanks are shared where they leave
    labels empty, and time zero and blanks at all times."""
    if row["role"] in ("treated", "unused"):
        return row["role"] == "treated" and _key(row) == key
    timed = row["role"] != "control" or row["time_h"] in (None, key[3])
    return timed and all(row[name] in ("", wanted) for name, wanted in zip(KEYS, key[:3], strict=True))


def _unit(treated: list[Row], name: str) -> str:
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
    of: dict[str, list[Row]], mine: list[Row], blank: float, scale: float
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
