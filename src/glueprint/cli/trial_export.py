"""`glueprint trial export`: a kept trial as analysis datasets of CDISC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import InputError
from glueprint.trials import cdisc, kept

__all__ = ["command"]


def command(
    source: Annotated[Path, typer.Argument(help="Folder of `glueprint trial run --out`.")],
    out: Annotated[Path, typer.Option(help="Folder for the datasets and define.xml.")],
    form: Annotated[str, typer.Option("--format", help="dataset-json, xpt or csv.")] = "dataset-json",
    replicate: Annotated[int | None, typer.Option(help="Which virtual trial; the first if not said.")] = None,
    as_json: Json = False,
) -> None:
    """Write a virtual trial as ADSL, ADTTE, ADRS, ADLB, ADAE and ADEX, with define.xml."""
    trial = kept.load(source)
    patients = trial.table("patients")
    known = patients["replicate"].unique().sort().to_list()
    chosen = known[0] if replicate is None else replicate
    if chosen not in known:
        raise InputError(
            "GP-T086",
            f"no replicate {chosen}",
            where=str(source),
            expected=f"{known[0]} to {known[-1]}",
            next_step="leave --replicate out for the first",
        )
    found = cdisc.datasets(trial.protocol, patients, trial.table("visits"), chosen)
    written = cdisc.write(found, out, form)
    rows = [(d.name, d.label, d.frame.height, path.name) for d, path in zip(found, written, strict=False)]
    if as_json:
        names = ("dataset", "label", "rows", "file")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    print_table(f"Replicate {chosen} of {trial.protocol.name}", ("dataset", "label", "rows", "file"), rows)
    console.print(f"{written[-1]} describes them. These are simulated patients.")
