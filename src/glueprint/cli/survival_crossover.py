"""`glueprint survival crossover`: what patients who changed treatment took from a comparison."""

from __future__ import annotations

from typing import Annotated

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile, OutFolder, SheetName, write_tables
from glueprint.cli.survival_tables import TableFile, cell, draw, of_file, read

__all__ = ["command"]

Many = list[str] | None
PRINTED = ("hazard_ratios", "time_ratios")


def command(
    table: TableFile,
    time: Annotated[str, typer.Option(help="Column of follow-up; with --origin, of the date of its end.")],
    event: Annotated[str, typer.Option(help="Column of 1 and 0, or COLUMN=VALUE where it is the event.")],
    arm: Annotated[str, typer.Option(help="Column of the two arms.")],
    switch: Annotated[
        str, typer.Option(help="Column of when a patient began the other arm's treatment; empty for never.")
    ],
    reference: Annotated[str | None, typer.Option(help="The control arm; else the first by name.")] = None,
    follow_up: Annotated[
        str | None, typer.Option(help="Column of time to the data cut, of all patients: recensors.")
    ] = None,
    progression: Annotated[
        str | None, typer.Option(help="Column of a second baseline, for the two-stage method.")
    ] = None,
    covariate: Annotated[
        Many, typer.Option(help="Column at the second baseline, or of each row; repeat.")
    ] = None,
    factor: Annotated[Many, typer.Option(help="The same, its numbers being levels.")] = None,
    patient: Annotated[
        str | None, typer.Option(help="Column of the patient of start-stop rows: IPCW.")
    ] = None,
    entry: Annotated[str | None, typer.Option(help="Column of when a start-stop row begins.")] = None,
    eligible: Annotated[
        str | None, typer.Option(help="Column of 1 where a row could end with a switch.")
    ] = None,
    both_arms: Annotated[bool, typer.Option("--both-arms", help="Patients of both arms switched.")] = False,
    strata: Annotated[Many, typer.Option(help="Column to stratify by; repeat for more.")] = None,
    origin: Annotated[str | None, typer.Option(help="Column of the date on which follow-up begins.")] = None,
    unit: Annotated[str | None, typer.Option(help="Of the times: days, weeks, months, years.")] = None,
    to: Annotated[str | None, typer.Option("--in", help="Unit of the answers.")] = None,
    where: Annotated[Many, typer.Option(help="COLUMN=VALUE: the rows that are meant; repeat.")] = None,
    distribution: Annotated[str, typer.Option(help="Of the time after the second baseline.")] = "weibull",
    model: Annotated[str, typer.Option(help="Of the switch in IPCW: cox or logistic.")] = "cox",
    confidence: Annotated[float, typer.Option(help="Of all intervals.")] = 0.95,
    sheet: SheetName = None,
    figure: FigureFile = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Patients who changed treatment: RPSFT, two-stage and IPCW beside the arms as randomised."""
    request = gp.survival.Request(
        time,
        event,
        arm=arm,
        reference=reference,
        strata=tuple(strata or ()),
        covariates=tuple(covariate or ()),
        factors=tuple(factor or ()),
        origin=origin,
        unit=unit,
        to=to,
        where=tuple(where or ()),
        entry=entry,
        patient=patient,
        switch=switch,
        progression=progression,
        follow_up=follow_up,
        eligible=eligible,
    )
    with of_file(table):
        found = gp.survival.crossover(
            read(table, sheet),
            request,
            both_arms=both_arms,
            distribution=distribution,
            model=model,
            level=confidence,
        )
    if figure is not None:
        draw(
            found.tables["curves"],
            figure,
            arms=found.arms,
            title="Survival and switches",
            note=f"{found.switched} of {found.control_patients} patients of {found.control} switched",
            unit=found.unit,
        )
    if out is not None:
        write_tables(out, found.tables)
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)


def _print(found: gp.survival.Crossover) -> None:
    unit = found.unit or "the unit of the column"
    console.print(
        f"{found.switched} of {found.control_patients} patients of {found.control} switched. Times in "
        f"{unit}; intervals of {100 * found.level:g} %."
    )
    for name in PRINTED:
        frame = found.tables[name]
        title = f"{name.replace('_', ' ').capitalize()}, {found.experimental} against {found.control}"
        rows = ([cell(row[c], c) for c in frame.columns] for row in frame.to_dicts())
        print_table(title, frame.columns, rows)
    for note in found.notes:
        console.print(note)
