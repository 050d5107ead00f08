"""`glueprint model dataset`: a model through the rows of a data set of NONMEM's kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer

from glueprint import engine
from glueprint.cli import model_options as options
from glueprint.cli import model_tables as tables
from glueprint.cli.output import Json, console, print_json, print_table

__all__ = ["dataset"]

MOST_NAMED = 5  # patients that did not finish


def _pairs(help_text: str) -> Any:
    return typer.Option(help=f"{help_text} Repeatable.")


def dataset(
    file: options.File,
    data: Annotated[
        Path,
        typer.Argument(help="Table with ID, TIME, AMT and their kin, one row an event.", show_default=False),
    ],
    columns: Annotated[
        str | None,
        typer.Option(
            help="Names of columns as in $INPUT, where the file has no line of them: ID,DOSE=AMT,TIME."
        ),
    ] = None,
    ignore: Annotated[
        str, typer.Option(help="Lines that begin with this are remarks; @ stands for any letter.")
    ] = "#",
    drop: Annotated[list[str] | None, _pairs("A column not to read.")] = None,
    cmt: Annotated[
        list[str] | None,
        _pairs("Which species a CMT is: 2=central. Default: the model's states in their order, from 1."),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        _pairs("A parameter that a column sets: WT=weight. Columns of the same name do so anyway."),
    ] = None,
    lag: Annotated[list[str] | None, _pairs("Lag of doses: gut=ALAG1, or gut=0.5.")] = None,
    bioavailability: Annotated[
        list[str] | None, _pairs("Share of doses that enters: gut=F1, or gut=0.6.")
    ] = None,
    rate: Annotated[list[str] | None, _pairs("Rate of infusions with RATE -1: central=R1.")] = None,
    duration: Annotated[list[str] | None, _pairs("Duration of infusions with RATE -2: gut=D1.")] = None,
    assign: options.Assign = None,
    output: Annotated[list[str] | None, _pairs("A name to report; default all species.")] = None,
    time_unit: Annotated[
        str | None, typer.Option(help="Unit of the table's times. Default: the model's own, or hours.")
    ] = None,
    accuracy: options.Accuracy = 1e-5,
    smallest: Annotated[
        list[str] | None, _pairs("Values below this need no relative accuracy: a number, or name=number.")
    ] = None,
    max_step: Annotated[float | None, typer.Option(help="Longest step.")] = None,
    verify: options.Verify = True,
    out: options.Out = None,
    as_json: Json = False,
) -> None:
    """Run the patients of a data set of NONMEM's kind (docs/dosing.md), and print or write a value for each
    row."""
    model = engine.compile(file)
    unit, scale = options.time_scale(time_unit, model)
    names = None if columns is None else columns.replace(",", " ").split()
    records = engine.read_records(data, columns=names, ignore=ignore, drop=drop or ())
    in_model = records.scaled(scale)
    routes = engine.Routes.of(
        model,
        in_model,
        compartments=options.names(cmt, "--cmt"),
        covariates=options.names(covariate, "--covariate"),
        lag=options.quantities(lag, "--lag", scale),
        bioavailability=options.quantities(bioavailability, "--bioavailability", 1.0, options.MOST_AVAILABLE),
        rate=options.quantities(rate, "--rate", 1.0 / scale),
        duration=options.quantities(duration, "--duration", scale),
    )
    settings = engine.Settings(
        accuracy=accuracy,
        smallest=options.smallest(smallest),
        longest_step=options.longest_step(max_step, scale),
    )
    given = options.assignments(assign, "--set")
    followed = engine.follow(
        model, in_model, routes, given, outputs=output or None, settings=settings, verify=verify
    )
    table = _table(records, followed, unit)
    if out is not None:
        tables.write_table(table, out)
    notes = _notes(records, routes, followed)
    failed = [
        (records.labels[who], followed.reasons[who]) for who in np.flatnonzero(followed.status).tolist()
    ]
    if as_json:
        checked = {"achieved_error": followed.achieved.tolist(), "runs": followed.runs} if verify else {}
        print_json(
            {
                "model": model.name,
                "status": dict(zip(records.labels, followed.status.tolist(), strict=True)),
                "reasons": dict(failed),
                **checked,
                **notes,
                "time_unit": unit,
                "table": table.to_dict(as_series=False),
            }
        )
    else:
        if out is None:
            rows = [[_cell(cell) for cell in row] for row in tables.thinned(table).rows()]
            print_table(model.name, table.columns, rows)
        _print_notes(records, notes, followed)
        for label, reason in failed[:MOST_NAMED]:
            console.print(f"Patient {label} did not finish well: {reason}")
        if len(failed) > MOST_NAMED:
            console.print(f"{len(failed) - MOST_NAMED} further patients did not; --json names them.")
    if failed:
        raise typer.Exit(1)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(records: engine.Records, followed: engine.Followed, unit: str) -> pl.DataFrame:
    """One row a record: who, when, what, the outputs, and what was observed."""
    label = [records.labels[who] for who in records.patient.tolist()]
    table = pl.DataFrame(
        {
            "ID": label,
            f"time_{unit}" if unit else "time": records.time,
            "EVID": records.event,
            **{name: followed[name] for name in followed.outputs},
        }
    )
    if np.isfinite(records.observed).any():
        table = table.with_columns(pl.Series("DV", records.observed).fill_nan(None))
    return table


def _notes(records: engine.Records, routes: engine.Routes, followed: engine.Followed) -> dict[str, Any]:
    """What was read how."""
    labels = sorted(
        {str(label) for label, gives in zip(records.compartment, records.is_dose, strict=True) if gives}
    )
    used = set(routes.covariates.values())
    return {
        "patients": len(records.labels),
        "rows": records.line.size,
        "doses": int(records.is_dose.sum()),
        "observations": int((records.event == 0).sum()),
        "compartments": {label or "(none)": routes.compartments[label] for label in labels},
        "covariates": dict(routes.covariates),
        "columns_not_used": [*(name for name in records.covariates if name not in used), *records.texts],
        "missing_cells_filled": {name: n for name, n in records.filled.items() if name in used},
        "lines_ignored": records.ignored,
        "doses_not_entered": followed.waiting,
    }


def _print_notes(records: engine.Records, notes: dict[str, Any], followed: engine.Followed) -> None:
    console.print(
        f"{records.name}: {notes['patients']} patients, {notes['rows']} rows, {notes['doses']} of them "
        f"doses, {notes['lines_ignored']} lines left out as remarks."
    )
    for head, key in (("Compartments by CMT", "compartments"), ("Parameters by column", "covariates")):
        if notes[key]:
            console.print(f"{head}: {', '.join(f'{name} = {what}' for name, what in notes[key].items())}.")
    if notes["missing_cells_filled"]:
        filled = ", ".join(f"{name} {count}" for name, count in notes["missing_cells_filled"].items())
        console.print(f"Missing cells that took the value of the row before: {filled}.")
    if notes["columns_not_used"]:
        console.print(f"Columns not used: {', '.join(notes['columns_not_used'])}.")
    if notes["doses_not_entered"]:
        console.print(
            f"{notes['doses_not_entered']} doses did not enter: they come after a patient's last row, or "
            "a reset or steady state cancelled them."
        )
    if followed.runs > 1 and np.isfinite(followed.achieved).any():
        worst = np.nanmax(followed.achieved)
        console.print(f"Largest relative error, by {followed.runs} runs at falling tolerance: {worst:.1e}")
