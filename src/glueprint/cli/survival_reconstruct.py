"""`glueprint survival reconstruct`: patients behind a published curve, as a table of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.output import Json, console, print_json
from glueprint.cli.plates import FigureFile, SheetName, write_tables
from glueprint.cli.survival_tables import draw
from glueprint.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

__all__ = ["command"]


def command(
    curve: Annotated[Path, typer.Argument(help="CSV, TSV or xlsx of clicks along one curve.")],
    at_risk: Annotated[
        str, typer.Option(help="Numbers below the curve, TIME:PATIENTS by comma, as 0:302,6:201,12:110.")
    ],
    time: Annotated[str, typer.Option(help="Column of the time of a click.")] = "time",
    survived: Annotated[
        str, typer.Option("--survival", help="Column of the height of a click, 0 to 1.")
    ] = "survival",
    percent: Annotated[bool, typer.Option("--percent", help="Heights are per cent.")] = False,
    events: Annotated[int | None, typer.Option(help="Events of the arm, if they were published.")] = None,
    between_clicks: Annotated[
        bool, typer.Option("--between-clicks", help="Clicks at even distances, not on the steps' corners.")
    ] = False,
    arm: Annotated[str, typer.Option(help="Name of the arm in the table that is written.")] = "arm",
    sheet: SheetName = None,
    figure: FigureFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for patients.csv and at_risk.csv.")] = None,
    as_json: Json = False,
) -> None:
    """Patients behind a published Kaplan-Meier curve and the numbers at risk below it (Guyot 2012)."""
    frame = gp.assays.tidy_table.read(curve, sheet)
    columns = [_column(frame, name, curve) for name in (time, survived)]
    if percent and columns[1].size and not (columns[1] > 1).any():
        raise InputError(
            "GP-V025",
            f'"{survived}" holds nothing above 1, and --percent says per cent',
            where=curve.name,
            expected="heights up to 100",
            next_step="leave --percent out for heights from 0 to 1",
        )
    marks, numbers = _numbers(at_risk)
    found = gp.survival.reconstruct(
        columns[0],
        columns[1] / 100 if percent else columns[1],
        marks,
        numbers,
        events=events,
        placed="between clicks" if between_clicks else "at clicks",
    )
    tables = _tables(found, arm)
    if figure is not None:
        _draw(found, arm, figure)
    if out is not None:
        write_tables(out, tables)
    if as_json:
        print_json({**_about(found), **{name: table.to_dicts() for name, table in tables.items()}})
        return
    about = _about(found)
    console.print(
        f"{about['patients']} patients, {about['events']} events, median {about['median'] or 'not reached'}; "
        f"the curve is met within {about['largest_gap']:.3g}."
    )
    if found.repaired:
        console.print(
            f"{found.repaired} clicks that rose were made level, by {found.largest_repair:.3g} at most"
        )
    for note in found.assumed:
        console.print(note)


def _column(frame: pl.DataFrame, name: str, source: Path) -> Any:
    if name not in frame.columns:
        raise InputError(
            "GP-V030",
            f'no column "{name}"{nearest(name, frame.columns)}',
            where=source.name,
            expected=f"one of the columns {', '.join(frame.columns)}",
            next_step="name them: --time COLUMN --survival COLUMN",
        )
    import polars as pl

    return frame[name].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _numbers(text: str) -> tuple[list[float], list[float]]:
    pairs = [item.split(":") for item in text.split(",")]
    try:
        return [float(mark) for mark, _ in pairs], [float(number) for _, number in pairs]
    except ValueError as error:
        raise InputError(
            "GP-V027",
            f'"{text}"',
            where="--at-risk",
            expected="TIME:PATIENTS by comma, as 0:302,6:201,12:110",
            next_step="copy the numbers at risk below the curve, the first at time 0",
        ) from error


def _about(found: gp.survival.Reconstruction) -> dict[str, Any]:
    median = gp.survival.kaplan_meier(found.time, found.event).median
    return {
        "patients": int(found.time.size),
        "events": found.events,
        "events_reported": found.events_reported,
        "median": None if median != median else median,
        "largest_gap": found.largest_gap,
        "repaired": found.repaired,
        "largest_repair": found.largest_repair,
        "assumed": list(found.assumed),
    }


def _tables(found: gp.survival.Reconstruction, arm: str) -> dict[str, pl.DataFrame]:
    import polars as pl

    patients = pl.DataFrame({"time": found.time, "event": found.event.astype(int)}).with_columns(
        arm=pl.lit(arm)
    )
    marks = pl.DataFrame(
        {"time": found.at_risk_times, "published": found.at_risk_reported, "reconstructed": found.at_risk}
    )
    return {"patients": patients, "at_risk": marks}


def _draw(found: gp.survival.Reconstruction, arm: str, path: Path) -> None:
    table = {"time": found.time, "event": found.event, "arm": [arm] * found.time.size}
    analysed = gp.survival.analyse(table, gp.survival.Request("time", "event", arm="arm"))
    draw(
        analysed.tables["curves"],
        path,
        arms=[arm],
        title="Reconstructed survival",
        note="patients behind a published curve",
        unit="",
    )
