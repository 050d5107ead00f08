"""`glueprint model`: look at a model, run a model."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer

from glueprint import engine
from glueprint.cli.csv_files import inert_table
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import EnvironmentProblemError, InputError

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="Antimony (.ant) or SBML (.xml) file.", show_default=False)]
MOST_TIMES = 10_000_000
MOST_ROWS_SHOWN = 25


@app.command()
def show(file: File, as_json: Json = False) -> None:
    """States, parameters, reactions, stiffness at the start and size of the machine code."""
    summary = engine.describe(engine.compile(file))
    if as_json:
        print_json(summary)
        return
    states, parameters, facts = summary["states"], summary["parameters"], summary["facts"]
    print_table(f"{summary['name']}: states", ["state", "at time 0"], states.items())
    print_table("parameters", ["parameter", "value"], parameters.items())
    print_table("reactions", ["reaction", "stoichiometry"], summary["reactions"].items())
    print_table("facts", ["fact", "value"], facts.items())


@app.command()
def simulate(
    file: File,
    until: Annotated[float, typer.Option(help="Last time, hours.")],
    every: Annotated[float, typer.Option(help="Interval between outputs, hours.")] = 1.0,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter or initial value: name=number. Repeatable.")
    ] = None,
    dose: Annotated[
        list[str] | None,
        typer.Option(help="An amount into a species at a time: species=amount@hours. Repeatable."),
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option(help="A name to report; default all species and what rate rules move.")
    ] = None,
    accuracy: Annotated[float, typer.Option(help="Wished relative error of the results.")] = 1e-5,
    out: Annotated[Path | None, typer.Option(help="Table to write: .csv or .parquet.")] = None,
    as_json: Json = False,
) -> None:
    """Run a model once and print or write the values over time."""
    _check_grid(until, every)
    model = engine.compile(file)
    given = dict(_pair(text, "--set") for text in assign or [])
    times = np.arange(0.0, until + 0.5 * every, every)
    settings = engine.Settings(accuracy=accuracy)
    result = model.ensemble(given, patients=1, settings=settings).simulate(
        times, _doses(dose), output or None
    )
    table = pl.DataFrame({"time_h": result.time_h, **{name: result[name][0] for name in result.outputs}})
    if out is not None:
        _write(table, out)
    if as_json:
        status = {"status": int(result.status[0]), "reason": result.reasons[0]}
        print_json({"model": model.name, **status, "table": table.to_dict(as_series=False)})
    elif out is None:
        print_table(
            model.name, table.columns, [[f"{cell:.6g}" for cell in row] for row in _thinned(table).rows()]
        )
    if result.status[0]:
        console.print(f"The run did not finish: {result.reasons[0]}")
        raise typer.Exit(1)


def _check_grid(until: float, every: float) -> None:
    if not (np.isfinite(until) and until > 0 and np.isfinite(every) and every > 0):
        raise InputError(
            "GP-N030",
            f"--until {until} --every {every}",
            expected="two numbers above 0, in hours",
            next_step="correct the numbers",
        )
    if until / every > MOST_TIMES:
        raise InputError(
            "GP-N030",
            f"--until {until} --every {every} are {until / every:.3g} times, and no table holds so many",
            expected=f"at most {MOST_TIMES} times",
            next_step="a longer --every, or a shorter --until",
        )


def _pair(text: str, option: str) -> tuple[str, float]:
    name, sign, number = text.partition("=")
    try:
        if not sign or not name:
            raise ValueError
        return name.strip(), float(number)
    except ValueError as error:
        raise InputError(
            "GP-N031",
            f'"{text}" is not name=number',
            where=option,
            expected="for example CL=7.8",
            next_step="correct the text",
        ) from error


def _doses(texts: list[str] | None) -> engine.Doses | None:
    """`species=amount@hours`, each one dose."""
    if not texts:
        return None
    targets, amounts, times = [], [], []
    for text in texts:
        head, _, time = text.rpartition("@")
        target, amount = _pair(head, "--dose")
        targets.append(target)
        amounts.append(amount)
        times.append(_pair(f"time={time}", "--dose")[1])
    return engine.Doses(np.zeros(len(times), dtype=np.int64), times, targets, amounts)


def _thinned(table: pl.DataFrame) -> pl.DataFrame:
    """Few enough rows for a screen; what is left out is said."""
    step = -(-table.height // MOST_ROWS_SHOWN)
    if step > 1:
        console.print(f"Every {step}th of {table.height} rows; --out writes them all.")
    return table.gather_every(step)


def _write(table: pl.DataFrame, path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(
            "GP-N032",
            f'"{path}" ends in "{path.suffix}"',
            where="--out",
            expected="a name that ends in .csv or .parquet",
            next_step="choose another name",
        )
    part = path.with_name(path.name + ".part")
    try:
        if path.suffix == ".csv":
            inert_table(table).write_csv(part)
        else:
            table.write_parquet(part)
        part.replace(path)
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-N033",
            f'cannot write "{path}": {error}',
            where="--out",
            expected="a folder that exists and can be written",
            next_step="choose another place",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
