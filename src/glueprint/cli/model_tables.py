"""How `glueprint model` shows and writes tables of values over time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import polars as pl

from glueprint.boundary import journal
from glueprint.cli.csv_files import inert_table
from glueprint.cli.output import console
from glueprint.errors import EnvironmentProblemError

__all__ = ["thinned", "write_table"]

MOST_ROWS_SHOWN = 25


def thinned(table: pl.DataFrame) -> pl.DataFrame:
    """Few enough rows for a screen; what is left out is said."""
    step = -(-table.height // MOST_ROWS_SHOWN)
    if step > 1:
        console.print(f"Every {step}th of {table.height} rows; --out writes them all.")
    return table.gather_every(step)


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a file that `model_options.Out` has taken. Raises EnvironmentProblemError GP-N033."""
    part = path.with_name(path.name + ".part")
    try:
        if path.suffix == ".csv":
            inert_table(table).write_csv(part)
        else:
            table.write_parquet(part)
        part.replace(path)
        journal.note_made(path)
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-N033",
            f'cannot write "{path}": {error}',
            where="--out",
            expected="a folder that exists and can be written",
            next_step="choose another place",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
