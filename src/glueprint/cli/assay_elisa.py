"""`glueprint assay elisa`: a plate to concentrations, limits and, where donors were treated, IC50s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint.assays import elisa
from glueprint.cli.output import Json, print_json, print_table
from glueprint.cli.plates import (
    Exclude,
    FigureFile,
    LayoutFile,
    PlateFile,
    ReaderName,
    SheetName,
    print_findings,
    print_reading,
    shown,
    wells_of,
    write_tables,
)
from glueprint.errors import InputError

SHOWN = (
    "plate",
    "role",
    "sample",
    "dilutions_used",
    "result",
    "low",
    "high",
    "relation",
    "limit",
    "unit",
    "status",
)
# Back-calculated concentrations are compared with plate programs, which print so many.
DIGITS = 5


def command(
    plate: PlateFile,
    layout_file: LayoutFile = None,
    reader: ReaderName = None,
    sheet: SheetName = None,
    channel: Annotated[str | None, typer.Option(help="Reading that is the signal, such as 450.")] = None,
    reference: Annotated[
        str | None, typer.Option(help='Reading to subtract, such as 650; "none": off.')
    ] = None,
    model: Annotated[str, typer.Option(help="auto, 4pl, 5pl, 5pl-mirrored, linear or power.")] = "auto",
    weights: Annotated[str, typer.Option(help="replicates, 1/y2 or none.")] = "replicates",
    response: Annotated[str, typer.Option(help="linear, or log10 for bead assays.")] = "linear",
    cv_limit: Annotated[float, typer.Option(help="CV of the concentration at LLOQ and ULOQ, %.")] = 20.0,
    signal_range: Annotated[
        str | None, typer.Option(help="Only mean signals between LOW,HIGH count, such as 0.186,2.380.")
    ] = None,
    signal_cv_limit: Annotated[
        float | None, typer.Option(help="Only mean signals of a smaller CV count, %.")
    ] = None,
    exclude: Exclude = None,
    figure: FigureFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for all tables as CSV.")] = None,
    as_json: Json = False,
) -> None:
    """Back-calculate an ELISA plate; with donors, also the inhibition of TNF and its IC50s."""
    read, wells = wells_of(plate, layout_file, reader, sheet)
    print_reading(read, wells, as_json=as_json)
    settings = elisa.Settings(
        channel=channel,
        reference=reference,
        model=model,
        weights=weights,
        response=response,
        cv_limit_percent=cv_limit,
        signal_range=None if signal_range is None else _pair(signal_range),
        signal_cv_limit_percent=signal_cv_limit,
        exclude=tuple(exclude or ()),
    )
    result = elisa.analyse(wells.table, settings)
    everything = (*wells.findings, *result.findings)
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures
        from glueprint.report.figures.elisa import elisa_plate

        figures.save(elisa_plate(result.tables, signal=result.signal), figure)
    if out is not None:
        write_tables(out, {**result.tables, "quality": result.quality})
    if as_json:
        print_json(result.as_dict() | {"findings": [finding.as_dict() for finding in everything]})
    else:
        _print(result)
        print_findings(everything)
    if any(finding.severity == "refusal" for finding in everything):
        raise typer.Exit(1)


def _pair(text: str) -> tuple[float, float]:
    low, mark, high = text.partition(",")
    try:
        return float(low), float(high) if mark else float("nan")
    except ValueError as error:
        raise InputError(
            "GP-A083",
            f'"{text}"',
            where="--signal-range",
            expected="two numbers with a comma, such as 0.186,2.380",
            next_step="write the lower first",
        ) from error


def _print(result: elisa.Result) -> None:
    curve = result.tables["curve"]
    rows = [
        (
            row["plate"],
            row["model"],
            row["parameter"],
            shown(row["value"], DIGITS),
            shown(row["standard_error"], DIGITS),
        )
        for row in curve.to_dicts()
    ]
    print_table(f"Standard curve of {result.signal}", ("plate", "model", "parameter", "value", "error"), rows)
    quality = [tuple(shown(cell, DIGITS) for cell in row) for row in result.quality.rows()]
    print_table("Quality", result.quality.columns, quality)
    samples = result.tables["samples"].filter(pl.col("donor") == "").select(SHOWN)
    print_table("Samples", SHOWN, [tuple(shown(cell, DIGITS) for cell in row) for row in samples.rows()])
    if result.named:
        potencies = [(one.sample, one.donor or "pooled", one.potency.text()) for one in result.named]
        print_table("Inhibition of TNF", ("compound", "donor", "potency"), potencies)
