"""`glueprint assay design`: what a design of doses and times would show, and what to measure further."""

from __future__ import annotations

from typing import Annotated

import typer

from glueprint.assays import degradation
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import shown
from glueprint.errors import InputError, nearest

__all__ = ["design"]


def design(
    assay: Annotated[str, typer.Argument(help="degradation.")],
    doses: Annotated[str, typer.Option(help="Doses, nM, with commas.")] = "100,1000,10000",
    times: Annotated[str, typer.Option(help="Times, hours, with commas.")] = "1,3,6,24",
    k_deg: Annotated[float, typer.Option(help="Presumed natural rate of loss, 1/h.")] = 0.1,
    k_max: Annotated[float, typer.Option(help="Presumed greatest added rate, 1/h.")] = 1.0,
    ec50: Annotated[float, typer.Option(help="Presumed EC50 of the added rate, nM.")] = 100.0,
    slope: Annotated[float, typer.Option(help="Presumed Hill slope.")] = 1.0,
    noise: Annotated[float, typer.Option(help="Error of a reading, SD of its natural logarithm.")] = 0.15,
    replicates: Annotated[int, typer.Option(help="Lanes a dose and time.")] = 1,
    vehicles: Annotated[int, typer.Option(help="Vehicle lanes a time.")] = 2,
    most: Annotated[int, typer.Option(help="Suggestions to print.")] = 8,
    as_json: Json = False,
) -> None:
    """Say what a design of doses and times would show, and which further ones would tell most."""
    if assay != "degradation":
        raise InputError(
            "GP-A140",
            f'"{assay}"{nearest(assay, ["degradation"])}',
            where="glueprint assay design",
            expected="degradation",
            next_step="other assays have no design helper yet",
        )
    found = degradation.design(
        k_deg_per_h=k_deg,
        k_max_per_h=k_max,
        ec50_nm=ec50,
        slope=slope,
        noise=noise,
        replicates=replicates,
        vehicles=vehicles,
        doses_nm=_numbers("--doses", doses),
        times_h=_numbers("--times", times),
    )
    if as_json:
        print_json(found.as_dict())
        return
    for title, table in (("Expected", found.expected), ("Worth adding", found.suggested.head(most))):
        print_table(title, table.columns, [[shown(cell) for cell in row] for row in table.rows()])
    console.print(found.advice, markup=False)


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            "GP-A140",
            f'"{text}"',
            where=option,
            expected="numbers with commas, such as 1,10,100",
            next_step="decimal points, no units",
        ) from error
