"""What was observed in a trial: a table of summaries, read and checked before anything is scored by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from glueprint.boundary import journal
from glueprint.errors import InputError

__all__ = ["COLUMNS", "OPTIONAL", "check_numbers", "check_tables", "is_logarithmic", "read_observed"]

COLUMNS = ("arm", "endpoint", "value")
OPTIONAL = ("trial", "low", "high", "n", "events", "source")
COUNTS = ("n", "events")
POSITIVE = ("months", "weeks", "days", "ratio")
# One more trial lies between the smallest and the largest of n with (n - 1)/(n + 1): 95 % needs 39.
LEAST_REPLICATES = 39


def read_observed(path: Path) -> pl.DataFrame:
    """The observed summaries in a CSV file, for `compare`.

    Raises InputError GP-K023 if it cannot be read as a table.
    """
    try:
        # All rows decide what a column holds, so that a word in the last row is met with its place.
        table = pl.read_csv(
            path, infer_schema_length=None, comment_prefix="#", null_values=["", "NA"], glob=False
        )
        journal.note_file(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as problem:
        raise InputError(
            "GP-K023",
            f"cannot be read as a table: {str(problem).splitlines()[0]}",
            where=str(path),
            expected=f"a CSV file in UTF-8 with a first line of names: {', '.join(COLUMNS)}",
            next_step='check the path; docs/trials.md, "Compare", shows such a file',
        ) from problem
    return table.rename({name: name.strip() for name in table.columns})


def check_tables(endpoints: pl.DataFrame, observed: pl.DataFrame) -> None:
    """GP-K020: columns that are not those of observed summaries. GP-K021: too few replicates."""
    missing = [name for name in COLUMNS if name not in observed.columns]
    strange = [name for name in observed.columns if name not in (*COLUMNS, *OPTIONAL)]
    if missing or strange:
        told = f"no column {', '.join(missing)}" if missing else f"unknown column {', '.join(strange)}"
        raise InputError(
            "GP-K020",
            told,
            where="observed",
            expected=f"columns {', '.join(COLUMNS)}, and of {', '.join(OPTIONAL)} what is known",
            next_step="name the columns so; endpoints are named as in the endpoints table of the trial",
        )
    keys = [name for name in ("trial", "arm", "endpoint", "source") if name in observed.columns]
    again = observed.select(~pl.struct(keys).is_first_distinct()).to_series().arg_true().to_list()
    if again:
        raise _unusable(observed.row(again[0], named=True), again[0] + 1, "a second number")
    count = endpoints.get_column("replicate").n_unique()
    if count < LEAST_REPLICATES:
        raise InputError(
            "GP-K021",
            f"{count} replicates",
            where="endpoints",
            expected=f"at least {LEAST_REPLICATES}, as a 95 % interval needs them",
            next_step="run the trial again with more, such as --replicates 200",
        )


def is_logarithmic(endpoint: str, unit: str) -> bool:
    """Whether an endpoint is a time or a ratio, above 0; a difference of times is not."""
    return unit in POSITIVE and "difference" not in endpoint


def check_numbers(row: Mapping[str, object], number: int, unit: str) -> None:
    """GP-K022: the numbers of a row are numbers, and such as an endpoint of this unit can have.

    number: of the row, from 1.   unit: of the endpoint; empty if it is not known.
    """
    for name in ("value", "low", "high", *COUNTS):
        given = row.get(name)
        if given is None and name != "value":
            continue
        least, most = (0.0, math.inf) if name in COUNTS else _limits(str(row["endpoint"]), unit)
        usable = isinstance(given, int | float) and math.isfinite(given) and least <= given <= most
        if not usable or (name == "value" and given == 0 and is_logarithmic(str(row["endpoint"]), unit)):
            raise _unusable(row, number, f'{name} "{given}"')
    low, high = row.get("low"), row.get("high")
    if isinstance(low, int | float) and isinstance(high, int | float):
        if not low < high:
            raise _unusable(row, number, f"an interval from {low} to {high}")
        if not low <= float(row["value"]) <= high:  # type: ignore[arg-type]
            raise _unusable(row, number, f"{row['value']} outside of its own interval, {low} to {high},")


def _limits(endpoint: str, unit: str) -> tuple[float, float]:
    if unit == "%":
        return 0.0, 100.0
    return (0.0 if is_logarithmic(endpoint, unit) else -math.inf), math.inf


def _unusable(row: Mapping[str, object], number: int, what: str) -> InputError:
    return InputError(
        "GP-K022",
        f"{what} of {row['arm']}, {row['endpoint']}",
        where=f"observed, row {number}",
        expected="per cent from 0 to 100, months or a ratio above 0, a value between low and high, counts of "
        "at least 0, one row of each source for an endpoint",
        next_step="correct the number, or leave the row out",
    )
