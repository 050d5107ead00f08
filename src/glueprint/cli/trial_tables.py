"""`glueprint trial tables` and `trial analyse`: the tables of a kept trial as CSV or a workbook, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import TablesForm
from glueprint.cli.trial_draws import between, heading
from glueprint.trials import headlines, kept

__all__ = ["analyse", "command"]

Source = Annotated[Path, typer.Argument(help="Folder of `glueprint trial run --out` or `trial tables`.")]


def command(
    source: Source,
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    form: TablesForm = "csv",
    as_json: Json = False,
) -> None:
    """Write every table of a trial as CSV files or one workbook; the folder can be read as the trial is."""
    files = kept.write_out(kept.load(source), out, form)
    if as_json:
        print_json({"files": [str(file) for file in files]})
        return
    print_table(
        f"Tables of {source}", ("file", "bytes"), [(file.name, file.stat().st_size) for file in files]
    )
    console.print("The table `columns` says what each column is. These are simulated patients.")


def analyse(source: Source, as_json: Json = False) -> None:
    """Estimate the endpoints anew from a trial's table of patients, read from Parquet, CSV or a workbook."""
    trial = kept.load(source)
    found = trial.analysed()
    if as_json:
        print_json({"trial": trial.protocol.name, "label": trial.label, "endpoints": found.to_dicts()})
        return
    first = found.filter(pl.col("replicate") == found["replicate"][0])
    arms = first["arm"].unique(maintain_order=True).to_list()
    cells = {
        (row["arm"], row["endpoint"]): between(row["value"], row["low"], row["high"])
        for row in first.iter_rows(named=True)
    }
    rows = [
        (heading(name), *(cells.get((arm, name), "") for arm in arms))
        for name in headlines()
        if any(name == known for _, known in cells)
    ]
    print_table(f"{trial.protocol.name}, replicate {first['replicate'][0]}", ("", *arms), rows)
