"""Inhibition of TNF per donor: from concentrations to per cent between the controls, IC50s and their pool."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import numpy as np
import polars as pl

from glueprint import units
from glueprint.assays import quality as plate_quality
from glueprint.assays.elisa.donors import LEAST, MIDDLE, MOST, Curve, Donors, Row, potencies
from glueprint.assays.elisa.settings import Settings
from glueprint.assays.elisa.shapes import Floats
from glueprint.assays.findings import Finding
from glueprint.assays.intake import RESPONSES, Response, meaning
from glueprint.errors import InputError

__all__ = ["INHIBITION", "analyse", "check_viability", "doses_nm"]

TEXT, NUMBER, COUNT, FLAG = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()
INHIBITION = pl.Schema(
    {"sample": TEXT, "donor": TEXT, "experiment": TEXT, "plate": TEXT, "well": TEXT, "role": TEXT,
     "dose_nm": NUMBER,
     "dilution": NUMBER, "result": NUMBER, "relation": TEXT, "inhibition_percent": NUMBER,
     "low_percent": NUMBER,
     "high_percent": NUMBER, "viability_percent": NUMBER, "used": FLAG, "reason": TEXT}
)  # fmt: skip
TREATED = ("compound", "sample")
VIABILITY = "viability_percent"
CONTROLS = ("stimulated", "unstimulated", "vehicle")
# Said of a well whose viability cannot be read: neither dead nor alive.
UNKNOWN = float("nan")
SHOWN = 8


def analyse(rows: pl.DataFrame, wells: Sequence[Row], settings: Settings) -> Donors:
    """Per cent inhibition on concentrations, per donor between its own controls, and the IC50s.

    rows: one a well with role, donor and any column viability_percent.   wells: rows of the table `wells`.
    Returns `Donors`; empty where no well of a donor holds a compound.
    Raises InputError GP-A085 for a dose without a unit of concentration.
    """
    out = Donors()
    treated = [row for row in wells if row["donor"] and row["role"] in TREATED]
    treated = [row for row in treated if row["layout_concentration"] is not None]
    _left_out(wells, out)
    if not treated:
        return out
    alive = _viability(rows, settings, out)
    every = [row | {VIABILITY: alive.get((row["plate"], row["well"]))} for row in wells if row["donor"]]
    found = []
    for key in dict.fromkeys((row["donor"], row["experiment"]) for row in treated):
        mine = [row for row in every if (row["donor"], row["experiment"]) == key]
        found += _donor(mine, settings, out)
    potencies(found, settings, out)
    return out


def doses_nm(rows: pl.DataFrame) -> list[float]:
    """The molar doses among the concentrations of a compound's wells, nM."""
    found = []
    for amount, unit in rows.select("concentration", "concentration_unit").drop_nulls().rows():
        with suppress(InputError):
            found.append(amount * _in_nm(unit))
    return [dose for dose in found if np.isfinite(dose)]


def check_viability(rows: pl.DataFrame) -> None:
    """Raise InputError GP-A201 for fractions in the column viability_percent."""
    if VIABILITY in rows.columns:
        values = rows[VIABILITY].cast(pl.Float64, strict=False).drop_nulls().to_numpy()
        meaning.refused(meaning.scale(VIABILITY, RESPONSES[VIABILITY], values[np.isfinite(values)]))


def _left_out(wells: Sequence[Row], out: Donors) -> None:
    """Wells of a compound, and of vehicle beside stimulated ones, that no inhibition is read from."""
    stimulated = {(row["donor"], row["experiment"]) for row in wells if row["role"] == "stimulated"}
    compounds = [row for row in wells if row["role"] == "compound"]
    idle = [row for row in wells if row["role"] == "vehicle" and row["donor"]]
    for what, found, remedy in (
        ("of a compound without a dose", [row for row in compounds if row["layout_concentration"] is None],
         "give their concentration and its unit in the layout"),
        ("of a compound without a donor", [row for row in compounds if not row["donor"]],
         "give their donor in the layout"),
        ("of vehicle, beside stimulated wells for the 0 %,",
         [row for row in idle if (row["donor"], row["experiment"]) in stimulated],
         "nothing, if they hold no stimulus; else call them stimulated"),
    ):  # fmt: skip
        if found:
            names = _first([row["well"] for row in found])
            out.findings.append(
                Finding("GP-A080", "warning", f"{len(found)} wells {what} do not enter the inhibition",
                        f'plate "{found[0]["plate"]}", wells {names}', next_step=remedy)
            )  # fmt: skip


def _first(names: Sequence[str]) -> str:
    """The first wells by name, and how many more."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _viability(rows: pl.DataFrame, settings: Settings, out: Donors) -> dict[tuple[str, str], float]:
    """Viability of each well that has one, and a finding where there is none."""
    if VIABILITY not in rows.columns:
        out.findings.append(
            Finding("GP-A103", "warning",
            "no viability readout: dead PBMC make no TNF, so death would look like "
                    "inhibition", "donors", f"a column {VIABILITY} (per cent of vehicle) in the layout",
                    "measure viability in the same wells")
        )  # fmt: skip
        return {}
    alive: dict[tuple[str, str], float] = {}
    unread, unmeasured = [], []
    values = rows[VIABILITY].cast(pl.Float64, strict=False)
    said = rows[VIABILITY].cast(pl.String).fill_null("")
    for plate, well, role, donor, value, text in zip(
        rows["plate"], rows["well"], rows["role"], rows["donor"], values, said, strict=True
    ):
        if not donor or role not in (*TREATED, *CONTROLS):
            continue
        if value is not None and np.isfinite(value):
            alive[plate, well] = float(value)
        elif text.strip():
            alive[plate, well] = UNKNOWN
            unread.append(f'{well} "{text[:SHOWN]}"')
        else:
            unmeasured.append(well)
    out.findings += [
        Finding("GP-A082", "warning", f"{len(names)} wells {what}", f"{_first(names)}", expected, remedy)
        for names, what, expected, remedy in (
            (unread, "with a viability that is no number do not count", "a number, per cent of vehicle",
             "correct the cell, or leave it empty where nothing was measured"),
            (unmeasured, "without a viability count as if alive", f"a value in every cell of {VIABILITY}",
             "measure viability in the same wells"),
        )
        if names
    ]  # fmt: skip
    dead = [well for (_, well), value in alive.items() if value < settings.viability_limit_percent]
    if dead:
        out.findings.append(
            Finding("GP-A104", "warning",
                    f"{len(dead)} wells with a viability below {settings.viability_limit_percent:g} % "
                    "do not count: " + ", ".join(dead), "donors", "living cells",
                    "look at the dose at which the cells die")
        )  # fmt: skip
    return alive


def _donor(wells: list[Row], settings: Settings, out: Donors) -> list[Curve]:
    """The curves of one donor in one experiment, one a compound; none without both controls."""
    zero, full = _controls(wells, settings)
    name = " ".join(part for part in (wells[0]["donor"], wells[0]["experiment"]) if part)
    if not zero or not full:
        missing = "stimulated" if not zero else "unstimulated"
        _refuse(out, "GP-A100", f"no {missing} control with a reading", name,
                "stimulated wells (0 %) and unstimulated wells (100 %) of the same donor")  # fmt: skip
        return []
    if any(row["relation"] == ">" for row in zero):
        _refuse(out, "GP-A101", "the stimulated control lies above the range: 0 % is not known",
        name,
                "a stimulated control within the standards; dilute the supernatants further")  # fmt: skip
        return []
    top = float(np.mean([row["adjusted"] if row["relation"] == "=" else row["limit"] / 2.0 for row in zero]))
    bottom = np.array([_bounds(row) for row in full]).mean(axis=0)
    if not top > bottom[MOST]:
        _refuse(out, "GP-A101", f"stimulated {top:.4g} is not above unstimulated {bottom[MOST]:.4g}", name,
                "a stimulus that raises TNF")  # fmt: skip
        return []
    censored = any(row["relation"] == "<" for row in full)
    if censored:
        out.findings.append(
            Finding("GP-A102", "note", f"the unstimulated control is below LLOQ: it enters as between 0 and "
                    f"{bottom[MOST]:.4g} {full[0]['unit']}".rstrip(), f"donor {name}")
        )  # fmt: skip
    _z_prime(zero, full, name, out)
    # All per cents rest on two means of wells, so their errors move every well of the curve.
    window = top - float(bottom[MIDDLE])
    means = tuple(
        (100.0 * error / window, degrees) for error, degrees in (_mean_error(rows) for rows in (zero, full))
    )
    about = {"stimulated": top, "unstimulated": float(bottom[MIDDLE]), "unit": full[0]["unit"],
             "unstimulated_relation": "<" if censored else "="}  # fmt: skip
    found = []
    for sample in dict.fromkeys(row["sample"] for row in wells if row["role"] in TREATED):
        treated = [row for row in wells if row["role"] in TREATED and row["sample"] == sample]
        treated = [row for row in treated if row["layout_concentration"] is not None]
        found.append(_curve(sample, [*zero, *treated], (top, bottom, means, about), settings, out))
    return [curve for curve in found if curve is not None]


def _mean_error(rows: list[Row]) -> tuple[float, float]:
    """Standard error of the mean of a control and its degrees of freedom; NaN of a single well.

    A control of which only limits are known adds none: its range is tried from end to end.
    """
    if all(row["relation"] != "=" for row in rows):
        return 0.0, 1.0
    values = np.array([_bounds(row)[MIDDLE] for row in rows])
    if values.size < 2:
        return float("nan"), float("nan")
    return float(values.std(ddof=1) / np.sqrt(values.size)), float(values.size - 1)


def _refuse(out: Donors, code: str, message: str, donor: str, expected: str) -> None:
    out.findings.append(
        Finding(
            code, "refusal", message, f"donor {donor}", expected, "no inhibition is computed for this donor"
        )
    )


def _controls(wells: list[Row], settings: Settings) -> tuple[list[Row], list[Row]]:
    """Wells of 0 % (stimulated, or vehicle where none is called so) and of 100 % that have a reading and
    live."""

    def of(role: str) -> list[Row]:
        return _sharpest([row for row in wells if row["role"] == role and not _why_not(row, settings)])

    return of("stimulated") or of("vehicle"), of("unstimulated")


def _why_not(row: Row, settings: Settings) -> str:
    """Why a well does not count; "" if it does."""
    if row["relation"] == "none":
        return str(row["status"])
    if row[VIABILITY] is not None and np.isnan(row[VIABILITY]):
        return "viability unknown"
    if row[VIABILITY] is not None and row[VIABILITY] < settings.viability_limit_percent:
        return f"viability {row[VIABILITY]:g} %"
    return ""


def _sharpest(rows: list[Row]) -> list[Row]:
    """Of supernatants at several dilutions, the values, and the limits that no other dilution makes sharper.

    A limit at the dilution that tells most stands for a culture of its own: leaving it out because its
    neighbour has a value would leave out just the lowest, or the highest.
    """
    dilutions = [float(row["dilution"]) for row in rows]
    useful = {"<": min(dilutions, default=1.0), ">": max(dilutions, default=1.0)}
    kept = [
        row
        for row, dilution in zip(rows, dilutions, strict=True)
        if row["relation"] == "=" or dilution == useful.get(row["relation"])
    ]
    # Above the range at the least dilution and below it at the highest: only limits, and none of them kept.
    return kept or [row for row in rows if row["limit"] == min(one["limit"] for one in rows)]


def _bounds(row: Row) -> tuple[float, float, float]:
    """What a well holds: the middle, the least and the most; three times the same for a value."""
    if row["relation"] == "=":
        return (row["adjusted"],) * 3
    if row["relation"] == "<":
        return row["limit"] / 2.0, 0.0, row["limit"]
    beyond = row["adjusted"] if row["adjusted"] is not None else row["limit"]
    return max(beyond, row["limit"]), row["limit"], max(beyond, row["limit"])


def _curve(
    sample: str,
    wells: list[Row],
    ends: tuple[float, Floats, tuple[tuple[float, float], ...], Row],
    settings: Settings,
    out: Donors,
) -> Curve | None:
    top, bottom, means, about = ends
    doses: dict[float, list[Row]] = {}
    for row in wells:
        doses.setdefault(_dose_nm(row), []).append(row)
    dose, inhibition, control, censored = [], [], [], []
    for amount, group in doses.items():
        counting = [row for row in group if not _why_not(row, settings)]
        used = _sharpest(counting)
        for row in group:
            # Least inhibition: most TNF in the well and none in the control; most inhibition the other way
            # round.
            values = (
                100.0 * (top - np.array(_bounds(row))[[MIDDLE, MOST, LEAST]]) / (top - bottom)
                if row["relation"] != "none"
                else None
            )
            reason = _why_not(row, settings) or ("" if row in used else "another dilution is in range")
            if row["role"] in TREATED:
                out.inhibition.append(_inhibition_row(row, sample, amount, values, reason))
            if not reason and values is not None:
                dose.append(amount)
                inhibition.append(values)
                control.append(row["role"] not in TREATED)
                censored.append(row["relation"] != "=")
    first = wells[0]
    if not dose or _turned(sample, (dose, inhibition, control), first, out):
        return None
    return Curve(
        sample=sample,
        donor=first["donor"],
        experiment=first["experiment"],
        dose=np.array(dose),
        inhibition=np.array(inhibition).T,
        control=np.array(control),
        censored=np.array(censored),
        means=means,
        about=about,
    )


def _turned(sample: str, points: tuple[list[float], list[Floats], list[bool]], row: Row, out: Donors) -> bool:
    """Whether inhibition falls with dose to that of the control, which is said: there is no IC50 of it."""
    dose, control = np.array(points[0]), np.array(points[2])
    left = 1.0 - np.array(points[1])[:, MIDDLE] / 100.0
    where = " ".join(part for part in (sample, row["donor"], row["experiment"]) if part)
    sense = RESPONSES["inhibition_percent"]
    asked = Response("inhibition_percent", sense, dose[~control], left[~control], left[control], where)
    found = asked.turned()
    out.findings += found
    return bool(found)


def _inhibition_row(row: Row, sample: str, dose_nm: float, values: Floats | None, reason: str) -> Row:
    return {
        name: row.get(name)
        for name in ("donor", "experiment", "plate", "well", "role", "dilution", "relation")
    } | {
        "sample": sample,
        "dose_nm": dose_nm,
        "result": row["adjusted"] if row["relation"] == "=" else row["limit"],
        "inhibition_percent": None if values is None else float(values[MIDDLE]),
        "low_percent": None if values is None else float(values.min()),
        "high_percent": None if values is None else float(values.max()),
        VIABILITY: None if row[VIABILITY] is None or np.isnan(row[VIABILITY]) else row[VIABILITY],
        "used": not reason,
        "reason": reason,
    }


def _dose_nm(row: Row) -> float:
    if row["role"] not in TREATED or row["layout_concentration"] == 0.0:
        return 0.0
    try:
        dose_nm = row["layout_concentration"] * _in_nm(row["layout_unit"])
    except InputError as error:
        raise InputError(
            "GP-A085",
            f'a dose of {row["layout_concentration"]:g} in "{row["layout_unit"]}"',
            where=f'plate "{row["plate"]}" well {row["well"]}, column "concentration_unit"',
            expected="a molar unit, such as nM or uM",
            next_step="correct the layout",
        ) from error
    if not 0.0 < dose_nm < np.inf:
        raise InputError(
            "GP-A085",
            f"a dose of {dose_nm:g} nM",
            where=f'plate "{row["plate"]}" well {row["well"]}, column "concentration"',
            expected="a finite dose of zero or more",
            next_step="correct the layout",
        )
    # 0.3 uM and 300 nM are one dose, whatever the last bit of their product says.
    return float(f"{dose_nm:.12g}")


@lru_cache(maxsize=32)
def _in_nm(unit: str) -> float:
    """How many nM one of this unit is; kept, because a plate asks for every well."""
    return units.convert(1.0, unit, "nM")


def _z_prime(zero: list[Row], full: list[Row], name: str, out: Donors) -> None:
    """Z' of the two controls, where both have values in two wells or more."""
    high = [row["adjusted"] for row in zero if row["relation"] == "="]
    low = [row["adjusted"] if row["relation"] == "=" else row["limit"] / 2.0 for row in full]
    if min(len(high), len(low)) < 2:
        return
    value = plate_quality.z_prime(high, low)
    out.quality.append(
        {"name": "Z' of stimulated and unstimulated", "where": f"donor {name}", "value": value, "unit": "",
         "limit": "above 0.5", "verdict": "pass" if value > 0.5 else "fail"}
    )  # fmt: skip
