"""`glueprint survival`: curves, tests and hazard ratios from one's own table of patients.

What follows is a table, unless it names a command: `crossover` and `reconstruct` ask other things of other
tables and so have options of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli import survival_crossover, survival_reconstruct
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile, OutFolder, SheetName, write_tables
from glueprint.cli.survival_tables import TableFile, cell, draw, of_file, read

__all__ = ["app"]

DEFAULT = "table"
HELP = ("--help", "-h")


class _Commands(TyperGroup):
    """Commands of which one needs no name: what is none of the others is its table."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words after `survival`, the first of them a command."""
        if args and args[0] not in (*self.commands, *HELP):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    no_args_is_help=True,
    help="Your own table of patients: curves, log-rank, hazard ratios, milestones, restricted means. "
    "`glueprint survival TABLE ...` is `glueprint survival table TABLE ...`.",
)
app.command(name="crossover")(survival_crossover.command)
app.command(name="reconstruct")(survival_reconstruct.command)

Many = list[str] | None
# Tables that people read; the steps of the curves go into files and figures.
PRINTED = (
    "groups",
    "milestones",
    "restricted_means",
    "incidence",
    "tests",
    "hazard_ratios",
    "subdistribution",
    "models",
    "model_medians",
    "proportional_hazards",
)


@app.command(name=DEFAULT)
def command(
    table: TableFile,
    time: Annotated[
        str, typer.Option(help="Column of follow-up; with --origin, of the date of its end.")
    ] = "",
    event: Annotated[
        str, typer.Option(help="Column of 1 and 0, or COLUMN=VALUE where it is the event.")
    ] = "",
    cause: Annotated[
        str | None, typer.Option(help="In its place: column of what ended the follow-up.")
    ] = None,
    left: Annotated[
        str | None, typer.Option(help="In place of both: column of the last look before the event.")
    ] = None,
    right: Annotated[
        str | None, typer.Option(help="And of the first that shows it; empty for an event not seen.")
    ] = None,
    censored: Annotated[str, typer.Option(help="Values of --cause that are no event, by comma.")] = "",
    arm: Annotated[str | None, typer.Option(help="Column of the arms to compare.")] = None,
    reference: Annotated[str | None, typer.Option(help="Arm the others are compared with.")] = None,
    strata: Annotated[Many, typer.Option(help="Column to stratify by; repeat for more.")] = None,
    covariate: Annotated[Many, typer.Option(help="Column of the regression beside the arm; repeat.")] = None,
    factor: Annotated[Many, typer.Option(help="The same, its numbers being levels.")] = None,
    origin: Annotated[str | None, typer.Option(help="Column of the date on which follow-up begins.")] = None,
    unit: Annotated[str | None, typer.Option(help="Of the times: days, weeks, months, years.")] = None,
    to: Annotated[str | None, typer.Option("--in", help="Unit of the answers.")] = None,
    entry: Annotated[str | None, typer.Option(help="Column of when a row comes under observation.")] = None,
    weights: Annotated[str | None, typer.Option(help="Column of weights of rows.")] = None,
    patient: Annotated[
        str | None, typer.Option(help="Column of the patient, where one has several rows.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column of rows that belong together, as a centre.")
    ] = None,
    where: Annotated[Many, typer.Option(help="COLUMN=VALUE: the rows that are meant; repeat.")] = None,
    test: Annotated[Many, typer.Option(help="log-rank, max-combo, fh:RHO,GAMMA; repeat.")] = None,
    model: Annotated[
        Many, typer.Option(help="weibull, exponential, lognormal, loglogistic, spline:KNOTS; repeat.")
    ] = None,
    milestone: Annotated[list[float] | None, typer.Option(help="Time to read survival at; repeat.")] = None,
    tau: Annotated[float | None, typer.Option(help="Horizon of restricted means.")] = None,
    confidence: Annotated[float, typer.Option(help="Of all intervals.")] = 0.95,
    sheet: SheetName = None,
    figure: FigureFile = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Kaplan-Meier curves, log-rank, hazard ratios, milestones and restricted means from a table."""
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
        weights=weights,
        patient=patient,
        cluster=cluster,
        cause=cause,
        left=left,
        right=right,
        censored=tuple(value.strip() for value in censored.split(",") if value.strip()),
    )
    with of_file(table):
        found = gp.survival.analyse(
            read(table, sheet),
            request,
            milestones=milestone or (),
            tau=tau,
            tests=test or ("log-rank",),
            models=model or (),
            level=confidence,
        )
    if figure is not None:
        _draw(found, figure)
    if out is not None:
        write_tables(out, found.tables)
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)


def _print(found: gp.survival.Analysis) -> None:
    unit = found.unit or "the unit of the column"
    console.print(f"Times in {unit}; intervals of {100 * found.level:g} %.")
    for name in PRINTED:
        frame = found.tables[name]
        if frame.is_empty():
            continue
        columns = [c for c in frame.columns if c != "status" or set(frame["status"]) != {"ok"}]
        columns = [c for c in columns if c != "z" or frame["z"].is_not_nan().any()]
        rows = ([cell(row[c], c) for c in columns] for row in frame.select(columns).to_dicts())
        print_table(name.replace("_", " ").capitalize(), columns, rows)
    for note in found.notes:
        console.print(note)


def _draw(found: gp.survival.Analysis, path: Path) -> None:
    from glueprint.report.estimates import Estimate

    groups = found.tables["groups"].fill_nan(None).to_dicts()
    medians = {row["arm"]: Estimate(row["median"], row["low"], row["high"]) for row in groups}
    ratios = found.tables["hazard_ratios"].fill_nan(None).to_dicts()
    first = ratios[0] if len(found.arms) == 2 and ratios else None
    ratio = Estimate(*(first[k] for k in ("hazard_ratio", "low", "high", "p_value"))) if first else None
    draw(
        found.tables["curves"],
        path,
        arms=found.arms,
        title="Survival",
        note=f"HR: {first['term']}" if first else "",
        medians=medians,
        hazard_ratio=ratio,
        unit=found.unit,
    )
