"""A table of lanes to experiments: columns and values checked, lanes of one experiment averaged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import units
from glueprint.assays import simulated
from glueprint.assays.degradation import signals
from glueprint.assays.degradation.joining import PLACES
from glueprint.assays.findings import Finding
from glueprint.assays.intake import RESPONSES, Response, canonical, is_vehicle, meaning
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError, nearest

__all__ = ["ARMS", "REQUIRED", "Lanes", "checked", "experiments", "tidy", "usable"]

REQUIRED = ("time_h", "dose_nm", "fraction_remaining")
TEXTS = ("target", "compound", "experiment", "membrane", "lane", "treatment", "relation")
# What people write for the two controls of mechanism, and for none.
ARMS: Mapping[str, str] = {
    "": "",
    "none": "",
    "vehicle": "",
    "dmso": "",
    "mln4924": "MLN4924",
    "pevonedistat": "MLN4924",
    "cycloheximide": "cycloheximide",
    "chx": "cycloheximide",
}
SIDES = {"=": 0, "": 0, "<": -1, ">": 1}
# Columns of a blot, of joined tables and of ours, which mean here what they are called.
OWN = (
    *REQUIRED,
    *TEXTS,
    "washout_h",
    "sample",
    "vehicle",
    "flags",
    "log_ratio",
    *PLACES,
    exclusions.COLUMN,
    exclusions.ROW,
)
# Fewer doses at a time have no direction.
SERIES = 4
REMAINING = ("fraction_remaining", "percent_remaining", "fraction_degraded", "percent_degraded")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lanes:
    """One experiment of a compound on a target.

    dose_nm, time_h, fraction: (m,).   side: (m,) 0 a value, -1 below detection, 1 above.
    membrane: (m,) which membrane, from 0.   averaged: lanes that became fewer readings.
    names: (m,) of the readings, as `--exclude` takes them.
    """

    target: str
    compound: str
    experiment: str
    dose_nm: Floats
    time_h: Floats
    fraction: Floats
    side: NDArray[np.int64]
    membrane: NDArray[np.int64]
    averaged: int
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Target, compound and experiment, for findings."""
        return " ".join(part for part in (self.target, self.compound, self.experiment) if part)

    @property
    def doses_nm(self) -> Floats:
        """Distinct doses above zero."""
        return np.unique(self.dose_nm[self.dose_nm > 0.0])

    @property
    def times_h(self) -> Floats:
        """Distinct times above zero."""
        return np.unique(self.time_h[self.time_h > 0.0])

    @property
    def has_vehicle(self) -> bool:
        """Whether a dose of zero was read."""
        return bool((self.dose_nm == 0.0).any())


def checked(table: pl.DataFrame) -> tuple[Finding, ...]:
    """What is noticed of a table before any curve is fitted; raises what `usable` and `tidy` raise."""
    findings: list[Finding] = []
    experiments(tidy(usable(table, findings)), findings)
    return tuple(findings)


def usable(table: pl.DataFrame, findings: list[Finding], hours: float | None = None) -> pl.DataFrame:
    """The table of a blot without the lanes that it could not read or that are no samples; others as they
    are, raw signals as fractions of their vehicle.

    hours: of all lanes that have no time of their own.

    table: of `assays.blot` where it has the columns flags, vehicle and log_ratio. Its vehicle lanes belong
    to every compound, and to time 0 where no time is said. Any other may have its columns under the names of
    docs/assays.md, and per cent or what was lost. A table that is simulated says so (GP-A054).
    Raises InputError GP-A195 (raw signals without a vehicle), and GP-A201 to GP-A214 for what cannot be what
    it says.
    """
    findings += simulated.of_table(table)
    if not {"flags", "vehicle", "log_ratio"} <= set(table.columns):
        if exclusions.ROW not in table.columns:
            table = table.with_columns(pl.int_range(1, pl.len() + 1).alias(exclusions.ROW))
        read = canonical(table, keep=OWN)
        findings += read.findings
        if "log_ratio" in read.table.columns and not read.response:
            findings.append(_natural())
        timed = _timed(_by_target(_by_line(read.table), table), hours)
        if read.response == "signal" and "log_ratio" not in timed.columns:
            return signals.of_vehicle(timed, findings)
        return _remaining(signals.without_roles(timed, findings), read.response)
    yes = pl.col("vehicle").cast(pl.String).str.to_lowercase() == "true"
    name = "sample" if "sample" in table.columns else "compound"
    found = table.with_columns(pl.when(yes).then(pl.lit("")).otherwise(pl.col(name)).alias(name))
    found = found.with_columns(
        pl.when(yes & pl.col("time_h").is_null()).then(0.0).otherwise(pl.col("time_h")).alias("time_h")
    )
    whole = pl.all_horizontal(pl.col("log_ratio", "time_h", "dose_nm").is_not_null())
    lost = found.filter(~whole)
    if lost.height:
        lanes = ", ".join(
            f"{row['lane']} ({row['flags'] or 'no dose or time'})" for row in lost.head(8).to_dicts()
        )
        findings.append(
            Finding(
                "GP-A151",
                "note",
                f"{lost.height} lanes without a ratio, a dose or a time are left out: {lanes}",
            )
        )
    return found.filter(whole)


def _timed(found: pl.DataFrame, hours: float | None) -> pl.DataFrame:
    """The table with the hours that are said of all lanes, where a lane has none of its own."""
    if hours is None:
        return found
    own = found["time_h"] if "time_h" in found.columns else pl.Series([None] * found.height, dtype=pl.Float64)
    return found.with_columns(own.cast(pl.String).replace("", None).fill_null(f"{hours:g}").alias("time_h"))


def _natural() -> Finding:
    said = "log_ratio is read as natural logarithms: -0.69 is one half"
    remedy = "convert log2 or log10 ratios, or give fraction_remaining"
    return Finding("GP-A205", "warning", said, 'column "log_ratio"', "natural logarithms", remedy)


def _by_line(found: pl.DataFrame) -> pl.DataFrame:
    """The table with the name of the line, donor or patient behind that of the target: their curves stay
    apart."""
    if "line" not in found.columns or found["line"].drop_nulls().n_unique() < 2:
        return found
    parts = [pl.col(name).cast(pl.String).fill_null("").str.strip_chars() for name in ("target", "line")
             if name in found.columns]  # fmt: skip
    return found.with_columns(target=pl.concat_str(parts, separator=" ").str.strip_chars())


def _by_target(found: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Names over columns side by side are targets where nothing else says what was blotted."""
    if "target" in found.columns or "compound" not in found.columns or found.height <= given.height:
        return found
    return found.rename({"compound": "target"})


def _remaining(found: pl.DataFrame, response: str) -> pl.DataFrame:
    """The table with fraction_remaining, from per cent or from what was lost."""
    if response.startswith("viability") and response not in found.columns:
        return found
    if response.startswith("viability"):
        # Without a name of its own a response near 1 is what is left, of lanes as of cells.
        named = "percent_remaining" if response.endswith("percent") else "fraction_remaining"
        found, response = found.rename({response: named}), named
    if response not in REMAINING:
        return found
    sense, values = RESPONSES[response], _numbers(found, response)
    raw = values.drop_nulls().to_numpy()
    meaning.refused(meaning.scale(response, sense, raw[np.isfinite(raw)]))
    if response == "fraction_remaining":
        return found
    meaning.refused(meaning.losses(response, sense, raw[np.isfinite(raw)]))
    fractions = [None if value is None else sense.fraction(value) for value in values]
    return found.with_columns(pl.Series("fraction_remaining", fractions, dtype=pl.Float64)).drop(response)


def tidy(table: pl.DataFrame) -> pl.DataFrame:
    """The table with the columns of `REQUIRED`, `TEXTS`, washout_h and side, all checked.

    table: time_h, fraction_remaining (or log_ratio) and dose_nm (or dose with dose_unit); optional target,
    compound (or sample), experiment, membrane, lane, treatment, relation, washout_h.
    Raises InputError GP-A009 (columns), GP-A010 (values), GP-A142 (words), GP-A143 (a lane twice), GP-A144
    (units), GP-A145 (nothing but time 0 or vehicle).
    """
    found = table
    if "compound" not in found.columns and "sample" in found.columns:
        found = found.rename({"sample": "compound"})
    if "fraction_remaining" not in found.columns and "log_ratio" in found.columns:
        found = found.with_columns(fraction_remaining=_numbers(found, "log_ratio").exp())
    if "dose_nm" not in found.columns and {"dose", "dose_unit"} <= set(found.columns):
        found = found.with_columns(dose_nm=_in_nm(found))
    missing = [name for name in REQUIRED if name not in found.columns]
    given = [name for name in table.columns if name not in (exclusions.ROW, exclusions.COLUMN)]
    if missing == ["time_h"]:
        raise InputError(
            "GP-A009",
            "no column time_h",
            expected=f"the hours of treatment; found {', '.join(given)}",
            next_step="add the column, or say --time-h 6 where all lanes have one time",
        )
    if missing:
        raise InputError(
            "GP-A009",
            f"no column {missing[0]}{nearest(missing[0], given)}",
            expected=f"the columns {', '.join(REQUIRED)}; found {', '.join(given)}",
            next_step="rename or add the column; doses are in nM, times in hours",
        )
    washed = _numbers(found, "washout_h") if "washout_h" in found.columns else pl.lit(None, dtype=pl.Float64)
    found = found.select(
        *(
            (
                pl.col(name).cast(pl.String).fill_null("").str.strip_chars()
                if name in found.columns
                else pl.lit("")
            ).alias(name)
            for name in TEXTS
        ),
        *(_numbers(found, name) for name in REQUIRED),
        pl.Series("washout_h", washed) if isinstance(washed, pl.Series) else washed.alias("washout_h"),
        *(name for name in PLACES if name in found.columns),
        pl.Series("place", _places(found), pl.String),
    )
    if found.is_empty():
        raise _bad_value("no rows", "")
    _finite(found)
    return _worded(found).drop(PLACES, strict=False)


def _places(table: pl.DataFrame) -> list[str]:
    """The lanes as `--exclude` names them: membrane and lane, else the row of the table."""
    names = []
    for i, row in enumerate(table.to_dicts()):
        lane, membrane = (str(row.get(name) or "").strip() for name in ("lane", "membrane"))
        nth = row.get(exclusions.ROW, i + 1)
        names.append((f"{membrane}:{lane}" if membrane else lane) if lane else f"row {nth}")
    return names


def _row(table: pl.DataFrame, row: int) -> str:
    """A row for messages: of the table that it came from, where several were joined."""
    if not set(PLACES) <= set(table.columns):
        return f"row {row}"
    file, own = (table[name][row] for name in PLACES)
    return f"{file}, row {own}"


def _numbers(table: pl.DataFrame, name: str) -> pl.Series:
    """A column as numbers; text that is none is named with its row."""
    found = table[name].cast(pl.Float64, strict=False)
    lost = found.is_null() & table[name].is_not_null()
    if lost.any():
        row = lost.to_list().index(True)
        raise _bad_value(f'"{table[name][row]}" is no number', f'{_row(table, row)}, column "{name}"')
    return found


def _in_nm(table: pl.DataFrame) -> pl.Series:
    factors = {}
    # A dose of 0 is one in any unit.
    dosed = pl.col("dose").cast(pl.Float64, strict=False) != 0.0
    unit_of = pl.when(dosed).then(pl.col("dose_unit").cast(pl.String).fill_null("")).otherwise(pl.lit("nM"))
    table = table.with_columns(dose_unit=unit_of)
    for unit in table["dose_unit"].unique().to_list():
        try:
            factors[unit] = units.convert(1.0, unit.strip(), "nM")
        except InputError as error:
            row = table["dose_unit"].to_list().index(unit)
            raise InputError(
                "GP-A144",
                f'a dose in "{unit}"',
                where=f'{_row(table, row)}, column "dose_unit"',
                expected="a molar unit, such as nM or uM, in every row",
                next_step="give the unit; units are never guessed",
            ) from error
    factor = table["dose_unit"].replace_strict(factors, return_dtype=pl.Float64)
    return _numbers(table, "dose") * factor


def _finite(found: pl.DataFrame) -> None:
    for name in REQUIRED:
        bad = pl.col(name).is_null() | ~pl.col(name).is_finite()
        if name != "fraction_remaining":
            bad = bad | (pl.col(name) < 0.0)
        rows = found.with_row_index("index").filter(bad)
        if rows.height:
            raise _bad_value(f"{rows[name][0]}", f'{_row(found, rows["index"][0])}, column "{name}"')
    meaning.refused(meaning.doses("dose_nm", [], found["dose_nm"].to_list()))
    meaning.refused(meaning.hours("time_h", found["time_h"].to_list()))


def _meant(lanes: Lanes, findings: list[Finding]) -> None:
    """Refuse lanes of which the vehicle says that they are no fractions remaining; a rise alone is no
    fault."""
    dosed = (lanes.dose_nm > 0.0) & (lanes.side == 0) & (lanes.time_h > 0.0)
    vehicle = (lanes.dose_nm == 0.0) & (lanes.side == 0)
    sense = RESPONSES["fraction_remaining"]
    times = [dosed & (lanes.time_h == time) for time in lanes.times_h]
    for mine in [one for one in times if np.unique(lanes.dose_nm[one]).size >= SERIES] or [dosed]:
        asked = Response(
            "fraction_remaining",
            sense,
            lanes.dose_nm[mine],
            lanes.fraction[mine],
            lanes.fraction[vehicle],
            lanes.name,
        )
        problems = asked.problems(may_rise=True)
        meaning.refused(problems)
        # A hook rises as well, from doses that degrade.
        problems += [replace(one, severity="warning") for one in asked.turned()]
        findings += [one for one in problems if one not in findings]


def _bad_value(what: str, where: str) -> InputError:
    return InputError(
        "GP-A010",
        what,
        where=where,
        expected="finite numbers; doses and times of zero or more",
        next_step="correct the value, or leave the row out",
    )


def _worded(found: pl.DataFrame) -> pl.DataFrame:
    """Treatments and relations by their one name; no lane twice; something to analyse."""
    for column, known in (("treatment", ARMS), ("relation", SIDES)):
        for row, word in enumerate(found[column].to_list()):
            if word.lower() not in known:
                raise InputError(
                    "GP-A142",
                    f'"{word}"{nearest(word.lower(), known)}',
                    where=f'{_row(found, row)}, column "{column}"',
                    expected="one of " + ", ".join(f'"{name}"' for name in known),
                    next_step="correct the word",
                )
    found = found.with_columns(
        treatment=pl.Series([ARMS[word.lower()] for word in found["treatment"]], dtype=pl.String),
        side=pl.Series([SIDES[word] for word in found["relation"]], dtype=pl.Int64),
        compound=pl.when(
            (pl.col("dose_nm") == 0.0) & pl.col("compound").map_elements(is_vehicle, return_dtype=pl.Boolean)
        )
        .then(pl.lit(""))
        .otherwise(pl.col("compound")),
    )
    keys = ["experiment", "membrane", "lane", "target", "treatment"]
    named = found.with_row_index("index").filter(pl.col("lane") != "")
    twice = named.filter(named.select(keys).is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        same = pl.all_horizontal(pl.col(key) == first[key] for key in keys)
        rows = [_row(found, row).removeprefix("row ") for row in twice.filter(same)["index"].to_list()]
        raise InputError(
            "GP-A143",
            f'lane "{first["lane"]}" of {first["target"] or "a target"} in rows {"; ".join(rows)}',
            where=f'membrane "{first["membrane"]}"',
            expected="one row a lane and target",
            next_step="remove the copy; replicate lanes have names of their own",
        )
    for name, what in (("time_h", "no time above zero"), ("dose_nm", "no dose above zero")):
        if not (found[name] > 0.0).any():
            raise InputError(
                "GP-A145",
                what,
                where=f'column "{name}"',
                expected="lanes treated for some time, beside the vehicle",
                next_step="give the whole table; times are in hours, doses in nM",
            )
    return found


def experiments(found: pl.DataFrame, findings: list[Finding]) -> list[Lanes]:
    """The lanes without treatment and wash-out, by target, compound and experiment; lanes averaged.

    Vehicle lanes that name no compound belong to all compounds of their experiment.
    """
    plain = found.filter((pl.col("treatment") == "") & pl.col("washout_h").is_null())
    named = found["experiment"].n_unique() > 1 or bool(found["experiment"][0])
    findings += meaning.unusual_hours("time_h", plain["time_h"].to_list(), lanes=True)
    findings += meaning.doses("dose_nm", [], plain["dose_nm"].to_list())
    lanes = []
    for (target, compound), _ in plain.filter(pl.col("dose_nm") > 0.0).group_by(
        ["target", "compound"], maintain_order=True
    ):
        shared = (pl.col("dose_nm") == 0.0) & (pl.col("compound") == "")
        mine = plain.filter((pl.col("target") == target) & ((pl.col("compound") == compound) | shared))
        lanes += [
            _lanes((str(target), str(compound), str(experiment)), group, average=named)
            for (experiment,), group in mine.group_by(["experiment"], maintain_order=True)
            if (group["dose_nm"] > 0.0).any()
        ]
    for one in lanes:
        _meant(one, findings)
    averaged = sum(one.averaged for one in lanes)
    if averaged:
        findings.append(
            Finding(
                "GP-A153",
                "note",
                f"{averaged} lanes share dose, time and experiment with others and are averaged",
                next_step="lanes of one experiment are not independent",
            )
        )
    if not named:
        findings.append(
            Finding(
                "GP-A147",
                "note",
                "no column experiment: all rows count as one experiment, n = 1",
                next_step="label the experiments: the interval of one knows nothing of the next",
            )
        )
    return lanes


def _lanes(names: tuple[str, str, str], group: pl.DataFrame, *, average: bool) -> Lanes:
    membranes = {name: i for i, name in enumerate(dict.fromkeys(group["membrane"].to_list()))}
    rows = group.select("dose_nm", "time_h", "fraction_remaining", "side", "membrane", "place").to_dicts()
    for row in rows:
        row["membrane"] = membranes[row["membrane"]]
    kept = _averaged(rows) if average else rows
    # Membranes without a vehicle of their own cannot have a level of their own.
    own = {row["membrane"] for row in kept if row["dose_nm"] == 0.0}
    places = {membrane: i for i, membrane in enumerate(sorted(own))} if len(own) == len(membranes) else {}
    return Lanes(
        *names,
        dose_nm=np.array([row["dose_nm"] for row in kept], dtype=float),
        time_h=np.array([row["time_h"] for row in kept], dtype=float),
        fraction=np.array([row["fraction_remaining"] for row in kept], dtype=float),
        side=np.array([row["side"] for row in kept], dtype=np.int64),
        membrane=np.array([places.get(row["membrane"], 0) for row in kept], dtype=np.int64),
        averaged=len(rows) - len(kept),
        names=tuple(row["place"] for row in kept),
    )


def _averaged(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One reading a dose, time and membrane; where values and limits meet, all are kept: the likelihood
    joins them.

    Positive values are averaged on the logarithm, as ratios are. Where only the vehicle has several lanes,
    they stay
    apart: each has the error of a treated one.
    """
    cells: dict[tuple[float, float, int], list[dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["dose_nm"], row["time_h"], row["membrane"]), []).append(dict(row))
    if all(len(lanes) == 1 for (dose, _, _), lanes in cells.items() if dose > 0.0):
        return [lane for lanes in cells.values() for lane in lanes]
    kept = []
    for lanes in cells.values():
        sides = {lane["side"] for lane in lanes}
        if len(lanes) == 1 or len(sides) > 1:
            kept += lanes
            continue
        values = np.array([lane["fraction_remaining"] for lane in lanes])
        if sides != {0}:
            mean = float(values.max() if sides == {-1} else values.min())
        else:
            mean = math.exp(float(np.log(values).mean())) if (values > 0.0).all() else float(values.mean())
        places = ",".join(lane["place"] for lane in lanes)
        kept.append(lanes[0] | {"fraction_remaining": mean, "place": places})
    return kept
