"""`glueprint fit`: curves through any table of x and y, with tests between data sets and models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile, OutFolder, shown, write_tables
from glueprint.errors import InputError

__all__ = ["app"]

app = typer.Typer(add_completion=False)

Names = Annotated[str, typer.Option()]
WIDE_OPEN = (None, None)
COLUMNS = {
    "parameters": ("set", "parameter", "unit", "estimate", "standard_error", "low", "high", "how"),
    "potencies": ("set", "definition", "relation", "value", "low", "high", "reasons"),
    "sets": (
        "set",
        "points",
        "dof",
        "rss",
        "sy_x",
        "r_squared",
        "aicc",
        "effect_p",
        "lack_of_fit_p",
        "outliers",
        "status",
        "reason",
    ),
    "comparisons": (
        "question",
        "set",
        "simple",
        "general",
        "f",
        "extra",
        "dof",
        "p",
        "probability_general",
        "preferred",
    ),
}


@app.command(name="fit")
def command(
    table: Annotated[Path, typer.Argument(help="CSV or TSV with a header, one row a point.")],
    x: Annotated[list[str], typer.Option("--x", help="Column of x; NAME=COLUMN for models with two inputs.")],
    y: Annotated[list[str], typer.Option("--y", help="Response column; several are several data sets.")],
    by: Annotated[list[str] | None, typer.Option(help="Column that tells data sets apart.")] = None,
    model: Annotated[str, typer.Option(help="Name of a model, or a formula such as a*exp(-k*x).")] = "4pl",
    shared: Annotated[str, typer.Option(help="Parameters with one value for all data sets, by comma.")] = "",
    fixed: Annotated[list[str] | None, typer.Option(help="NAME=VALUE held; NAME=free frees it.")] = None,
    constant: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a constant of the model.")] = None,
    start: Annotated[list[str] | None, typer.Option(help="NAME=VALUE to start a formula from.")] = None,
    weights: Annotated[str, typer.Option(help="none, 1/y, 1/y2 (of the curve), or a column.")] = "none",
    upper: Annotated[str | None, typer.Option(help="Column of upper ends, of y known as a range.")] = None,
    robust: Annotated[bool, typer.Option(help="Also a robust fit, and the outliers (Q = 1 %).")] = False,
    same: Annotated[str, typer.Option(help="Test one value of these for all data sets.")] = "",
    against: Annotated[str | None, typer.Option(help="Compare with this model.")] = None,
    level: Annotated[float | None, typer.Option(help="Response of an absolute potency.")] = None,
    control: Annotated[float | None, typer.Option(help="Response without drug, for --level.")] = None,
    least: Annotated[float | None, typer.Option(help="Least response that is possible.")] = None,
    most: Annotated[float | None, typer.Option(help="Largest response that is possible.")] = None,
    replicates: Annotated[bool, typer.Option(help="Several --y are replicates of one data set.")] = False,
    log10_x: Annotated[bool, typer.Option("--log10-x", help="x are log10 of doses.")] = False,
    confidence: Annotated[float, typer.Option(help="Of all intervals.")] = 0.95,
    figure: FigureFile = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Fit curves through a table of x and y: any model, shared and fixed parameters, weights, outliers."""
    found = gp.fit_table(
        gp.assays.tidy_table.read(table),
        x=_inputs(x),
        y=y,
        by=by or (),
        model=model,
        shared=_names(shared),
        fixed=_pairs(fixed, "--fixed", free=True),
        constants=_numbers(_pairs(constant, "--constant")),
        start=_numbers(_pairs(start, "--start")) or None,
        weights=weights,
        upper=upper,
        robust=robust,
        same=_names(same),
        against=against,
        level=level,
        control=control,
        within=(least, most),
        replicates=replicates,
        log10_x=log10_x,
        confidence=confidence,
        source=str(table),
    )
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures
        from glueprint.report.figures.fits import fitted_curves

        title = ", ".join(y)
        figures.save(fitted_curves(found.tables["points"], found.tables["curves"], x=x[0], y=title), figure)
    if out is not None:
        write_tables(out, found.tables)
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)


def _print(found: gp.curves.Fits) -> None:
    console.print(f"{found.model.name}: {found.model.title}", markup=False)
    tables: dict[str, list[dict[str, Any]]] = {name: table.to_dicts() for name, table in found.tables.items()}
    problem = found.problem
    logarithms = [name for name, yes in zip(found.model.names, problem.logarithmic, strict=True) if yes]
    for row in tables["parameters"]:
        row["how"] = "held" if row["fixed"] else "shared" if row["shared"] else ""
        if row["low"] == 0.0 and row["parameter"] in logarithms:
            row["low"] = float("-inf")
    for name, columns in COLUMNS.items():
        if tables[name]:
            print_table(
                name.capitalize(), columns, ([_cell(row[c]) for c in columns] for row in tables[name])
            )
    outliers = [row for row in tables["points"] if row["outlier"]]
    if outliers:
        columns = ("set", "x", "y", "fitted", "residual", "robust_weight")
        print_table("Outliers", columns, ([_cell(row[c]) for c in columns] for row in outliers))
    for note in found.notes:
        console.print(note, markup=False)


def _cell(value: Any) -> Any:
    return "open" if value in (float("inf"), float("-inf")) else shown(value)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _inputs(given: list[str]) -> str | dict[str, str]:
    """One column, or columns by the name of the model's input."""
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    return dict(_split(item, "--x", "NAME=COLUMN, once for each input of the model") for item in given)


def _pairs(given: Iterable[str] | None, option: str, *, free: bool = False) -> dict[str, float | None]:
    """Numbers by name; None where a held parameter is freed."""
    found: dict[str, float | None] = {}
    for item in given or ():
        name, value = _split(item, option, "NAME=NUMBER" + (" or NAME=free" if free else ""))
        if name in found:
            raise _refusal(item, option, f"one value of {name}, which is given twice")
        if free and value == "free":
            found[name] = None
            continue
        try:
            found[name] = float(value)
        except ValueError as error:
            raise _refusal(item, option, "NAME=NUMBER") from error
    return found


def _numbers(pairs: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in pairs.items() if value is not None}


def _split(item: str, option: str, expected: str) -> tuple[str, str]:
    name, found, value = item.partition("=")
    if not found or not name.strip() or not value.strip():
        raise _refusal(item, option, expected)
    return name.strip(), value.strip()


def _refusal(item: str, option: str, expected: str) -> InputError:
    return InputError(
        "GP-C051",
        f'"{item}"',
        where=option,
        expected=expected,
        next_step="see docs/prism.md for the options, with an example of each",
    )
