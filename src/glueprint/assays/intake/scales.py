"""Whether all curves of a column of responses are on one scale, and whether what counts as replicates of one
curve agrees."""

from __future__ import annotations

import numpy as np
import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import meaning
from glueprint.assays.intake.headers import dose_column
from glueprint.assays.intake.meaning import RESPONSES
from glueprint.assays.intake.wide import NUMBERED_AS

__all__ = ["IDENTITY", "numbered", "of_column"]

IDENTITY = ("line", "compound", "experiment", "time_h", "target", "treatment", "membrane")


def of_column(found: pl.DataFrame, response: str, column: str, words: str) -> list[Finding]:
    """Curves on another scale than the rest of their column, replicates that are apart, and counts that may
    be logarithms.

    column: the response's own name, for messages.   words: that name in small letters, without its unit.
    Raises InputError GP-A201 for per cent of which one curve is in fractions.
    """
    numbers = _numbers(found, response)
    if numbers is None:
        return []
    if not RESPONSES[response].relative:
        return [
            *_levels(numbers),
            *_replicates(_treated(numbers, response), response),
            *meaning.counts(column, words, numbers["_value"].to_numpy()),
        ]
    keys = [name for name in (*IDENTITY, "plate", "replicate") if name in found.columns]
    treated = _treated(numbers, response)
    for labels, part in treated.group_by(keys, maintain_order=True) if keys else []:
        where = " ".join(str(label) for label in labels if label is not None)
        curve = part.sort("_dose")
        values = (numbers["_value"].to_numpy(), curve["_dose"].to_numpy(), curve["_value"].to_numpy())
        meaning.refused(meaning.one_scale(column, RESPONSES[response], values, where))
    return _replicates(treated, response)


def numbered(found: pl.DataFrame, response: str) -> tuple[pl.DataFrame, list[Finding]]:
    """The table in which columns that only a number behind one name made replicates ("PROTAC 1", "PROTAC 2")
    are curves of their own where they are too far apart for replicates, and warnings that say so."""
    numbers = _numbers(found, response)
    if NUMBERED_AS not in found.columns or numbers is None:
        return found.drop(NUMBERED_AS, strict=False), []
    said = []
    for name in found["compound"].unique(maintain_order=True).to_list():
        mine = (pl.col("compound") == name) & pl.col(NUMBERED_AS).is_not_null()
        apart = _replicates(_treated(numbers.filter(mine), response), response)
        if not apart:
            continue
        names = ", ".join(found.filter(mine)[NUMBERED_AS].unique(maintain_order=True))
        own = pl.when(mine)
        found = found.with_columns(
            own.then(NUMBERED_AS).otherwise("compound").alias("compound"),
            own.then(pl.lit(None, pl.String)).otherwise("replicate").alias("replicate"),
        )
        text = f"{names} are read as curves of their own, and not as replicates: {apart[0].message}"
        remedy = 'call replicates "rep 1", "rep 2", or by one name'
        said.append(Finding("GP-A223", "warning", text, "", "replicates of one curve", remedy))
    return found.drop(NUMBERED_AS), said


def _numbers(found: pl.DataFrame, response: str) -> pl.DataFrame | None:
    """Rows with a reading and a dose, as the numbers _value and _dose; None for a table without doses."""
    dose = dose_column(found.columns)
    if not dose or not response:
        return None
    return found.with_columns(
        pl.col(response).cast(pl.Float64, strict=False).alias("_value"),
        pl.col(dose).cast(pl.Float64, strict=False).alias("_dose"),
    ).filter(pl.col("_value").is_finite(), pl.col("_dose").is_finite())


def _treated(numbers: pl.DataFrame, response: str) -> pl.DataFrame:
    """The treated rows, raw signals over their control."""
    return numbers.filter(pl.col("_dose") > 0.0) if RESPONSES[response].relative else _over_control(numbers)


def _replicates(treated: pl.DataFrame, response: str) -> list[Finding]:
    """Replicates of a curve that are apart; those without names are told apart by their order: the first
    reading of each dose, the second."""
    findings: list[Finding] = []
    curves = [name for name in IDENTITY if name in treated.columns]
    named, sense = "replicate" in treated.columns, RESPONSES[response]
    for labels, rows in treated.group_by(curves, maintain_order=True) if curves else [((), treated)]:
        order = pl.int_range(pl.len()).over("_dose") + 1
        part = rows if named else rows.with_columns(order.alias("replicate"))
        if part.is_empty() or not (named or part.group_by("_dose").len()["len"].n_unique() == 1):
            continue
        courses = {
            str(name): (one["_dose"].to_numpy(), np.array([sense.fraction(v) for v in one["_value"]]))
            for (name,), one in part.group_by(["replicate"], maintain_order=True)
        }
        where = [str(label) for label in labels if label is not None]
        findings += meaning.replicates_apart(courses, " ".join([*where, "" if named else "in order"]).strip())
    return findings


def _over_control(numbers: pl.DataFrame) -> pl.DataFrame:
    """Treated rows of raw signals over the mean of those without compound; none where nothing says that all
    have one level, as of several plates or lines."""
    apart = [n for n in (*IDENTITY, "plate") if n in numbers.columns and n != "compound"]
    control = numbers.filter(pl.col("_dose") == 0.0)["_value"].to_numpy()
    if any(numbers[n].n_unique() > 1 for n in apart) or not control.size or control.mean() <= 0.0:
        return numbers.clear()
    return numbers.filter(pl.col("_dose") > 0.0).with_columns(pl.col("_value") / float(control.mean()))


def _levels(numbers: pl.DataFrame) -> list[Finding]:
    """Raw signals of replicates that are not on one level, where nothing tells curves or plates apart."""
    apart = [n for n in (*IDENTITY, "plate") if n in numbers.columns and numbers[n].n_unique() > 1]
    if apart or "replicate" not in numbers.columns:
        return []
    controls = numbers.filter(pl.col("_dose") == 0.0).group_by("replicate").agg(pl.col("_value").mean())
    levels = {str(name): float(level) for name, level in controls.rows()}
    return meaning.levels_apart(levels) if len(levels) > 1 else []
