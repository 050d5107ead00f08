"""`glueprint model`: look at a model, run a model, fit a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer

from glueprint import engine
from glueprint.cli import model_options as options
from glueprint.cli import model_tables as tables
from glueprint.cli.model_course import course
from glueprint.cli.model_dataset import dataset
from glueprint.cli.model_doses import doses
from glueprint.cli.model_exchange import bring, diff, export
from glueprint.cli.model_fit import fit
from glueprint.cli.model_population import follow, population
from glueprint.cli.model_sensitivity import sensitivity, sweep
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import InputError

app = typer.Typer(no_args_is_help=True)
app.command()(dataset)
app.command()(fit)
app.command()(course)
app.command()(sensitivity)
app.command()(sweep)
app.command()(population)
app.command()(export)
app.command("import")(bring)
app.command()(diff)


@app.command()
def show(file: options.File, as_json: Json = False) -> None:
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
    file: options.File,
    until: Annotated[float, typer.Option(help="Last time, which is the last row.")],
    every: Annotated[float, typer.Option(help="Interval between outputs.")] = 1.0,
    assign: options.Assign = None,
    dose: Annotated[
        list[str] | None,
        typer.Option(
            help="An amount into a species at a time: species=amount@time, and after commas over=, rate=, "
            "lag=, bioavailability=, every=, more=, steady. Repeatable."
        ),
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option(help="A name to report; default all species and what rate rules move.")
    ] = None,
    time_unit: Annotated[
        str | None,
        typer.Option(
            help="Unit of all times given and written: s, min, h, day, week, ... Default: the file's own, "
            "or hours where it states none."
        ),
    ] = None,
    accuracy: options.Accuracy = 1e-5,
    smallest: Annotated[
        list[str] | None,
        typer.Option(
            help="Values below this need no relative accuracy: a number for all, or name=number. Repeatable."
        ),
    ] = None,
    max_step: Annotated[
        float | None, typer.Option(help="Longest step: no narrower pulse of a smooth rate is leapt over.")
    ] = None,
    verify: options.Verify = True,
    people: Annotated[
        Path | None,
        typer.Option("--population", help="Folder of model population: its patients run, in quantiles."),
    ] = None,
    patients: Annotated[
        int | None, typer.Option(help="How many of a --population.", show_default="500")
    ] = None,
    out: options.Out = None,
    as_json: Json = False,
) -> None:
    """Run a model once and print or write the values over time; or a population, and its quantiles."""
    if patients is not None and people is None:
        raise InputError(
            "GP-N030",
            f"--patients {patients} without a population would act on nothing",
            expected="--population as well: a folder of `glueprint model population`",
            next_step="leave it out, or name the population",
        )
    times = options.grid(until, every)
    model = engine.compile(file)
    unit, scale = options.time_scale(time_unit, model)
    given = options.assignments(assign, "--set")
    settings = engine.Settings(
        accuracy=accuracy,
        smallest=options.smallest(smallest),
        longest_step=options.longest_step(max_step, scale),
    )
    names = output or None
    wanted = doses(dose, model, until, scale)
    if people is not None:
        found = follow(
            model,
            people,
            500 if patients is None else patients,
            scale * times,
            given,
            wanted,
            names,
            settings,
        )
        shown = found.with_columns(pl.Series(np.repeat(times, found.height // times.size)).alias("time"))
        _give_table(shown, model.name, out, as_json=as_json)
        return
    result: engine.Trajectories
    if verify:
        result = engine.verified(
            model, scale * times, given, doses=wanted, outputs=names, patients=1, settings=settings
        )
    else:
        ensemble = model.ensemble(given, patients=1, settings=settings)
        result = ensemble.simulate(scale * times, wanted, names)
    column = f"time_{unit}" if unit else "time"
    table = pl.DataFrame({column: times, **{name: result[name][0] for name in result.outputs}})
    if out is not None:
        tables.write_table(table, out)
    measures = {
        name: model.measures.species[name] for name in result.outputs if name in model.measures.species
    }
    if as_json:
        status = {"status": int(result.status[0]), "reason": result.reasons[0]}
        units = {"time_unit": unit, "units": measures}
        print_json(
            {
                "model": model.name,
                **status,
                **_check(result),
                **units,
                "doses_after_end": result.doses_after_end,
                "table": table.to_dict(as_series=False),
            }
        )
    elif out is None:
        heads = [f"{name} ({measures[name]})" if name in measures else name for name in table.columns]
        print_table(
            model.name, heads, [[f"{cell:.6g}" for cell in row] for row in tables.thinned(table).rows()]
        )
    if isinstance(result, engine.Verified) and not as_json and not np.isnan(result.achieved[0]):
        console.print(
            f"Largest relative error, by {result.runs} runs at falling tolerance: {result.achieved[0]:.1e}"
        )
    if result.doses_after_end and not as_json:
        console.print(f"{result.doses_after_end} doses enter after the last time, by their lag.")
    if result.status[0]:
        is_rough = result.status[0] == engine.Status.ACCURACY_NOT_MET
        head = "The accuracy is not met" if is_rough else "The run did not finish"
        tried = "" if is_rough or not verify else " (A tenth of the tolerance and less were tried, in vain.)"
        console.print(f"{head}: {result.reasons[0]}{tried}")
        raise typer.Exit(1)


def _give_table(table: pl.DataFrame, name: str, out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        tables.write_table(table, out)
    if as_json:
        print_json({"model": name, "table": table.to_dict(as_series=False)})
    elif out is None:
        rows = [[cell if isinstance(cell, str) else f"{cell:.6g}" for cell in row] for row in table.rows()]
        print_table(name, table.columns, rows)


def _check(result: engine.Trajectories) -> dict[str, float | int]:
    """What the check of a run has found, for JSON."""
    if not isinstance(result, engine.Verified):
        return {}
    return {"achieved_error": float(result.achieved[0]), "runs": result.runs}
