"""What each assay's command reads; its other options are its settings (`assay_commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.assays import degradation, elisa, growth, polarization
from glueprint.assays.contract import Observations
from glueprint.assays.wells import Wells
from glueprint.cli.assay_commands import command
from glueprint.cli.plates import Columns, LayoutFile, PlateFile, ReaderName, SheetName, names_of

__all__ = ["COMMANDS"]

Tables = Annotated[
    list[Path], typer.Argument(help="Tidy CSV or TSV files, one row a lane; several are joined.")
]


def standards(
    plate: PlateFile, layout_file: LayoutFile = None, reader: ReaderName = None, sheet: SheetName = None
) -> Wells:
    """Back-calculate an ELISA plate; with donors, also the inhibition of TNF and its IC50s."""
    return elisa.read(plate, layout=layout_file, reader=reader, sheet=sheet)


def light(
    plate: PlateFile, layout_file: LayoutFile = None, reader: ReaderName = None, sheet: SheetName = None
) -> Wells:
    """Fit tracer titrations and competition curves exactly; a Ki needs protein, tracer and tracer Kd."""
    return polarization.read(plate, layout=layout_file, reader=reader, sheet=sheet)


def lanes(tables: Tables, column: Columns = None, sheet: SheetName = None) -> Observations:
    """Fit fractions remaining over dose and time: DC50s, Dmax, rates, half-lives, recovery."""
    return degradation.read(*tables, names=names_of(column), sheet=sheet)


def cultures(
    file: Annotated[Path, typer.Argument(help="A plate reader's file, or a tidy table, one row a well.")],
    layout_file: LayoutFile = None,
    reader: ReaderName = None,
    sheet: SheetName = None,
    time0: Annotated[Path | None, typer.Option(help="Plate of time zero, where it is another file.")] = None,
    time0_layout: Annotated[Path | None, typer.Option(help="Its layout, if not that of the plate.")] = None,
    column: Columns = None,
) -> Observations:
    """Fit viability, growth rate or division against dose: IC50, GI50, GR metrics, pooled over
    experiments."""
    return growth.read(
        file,
        layout=layout_file,
        reader=reader,
        sheet=sheet,
        names=names_of(column),
        time0=time0,
        time0_layout=time0_layout,
    )


COMMANDS = {
    "binding": command(polarization.analyse, polarization.Settings, light),
    "degradation": command(degradation.analyse, degradation.Settings, lanes),
    "elisa": command(elisa.analyse, elisa.Settings, standards),
    "growth": command(growth.analyse, growth.Settings, cultures),
}
