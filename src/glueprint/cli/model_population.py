"""`glueprint model population`: virtual patients of a user's model that match published distributions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from numpy.typing import NDArray

from glueprint import engine, workshop
from glueprint.cli import model_options as options
from glueprint.cli.bars import told_bar
from glueprint.cli.model_doses import doses
from glueprint.cli.model_sensitivity import range_of
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import InputError

__all__ = ["follow", "population"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WORDS = ("mean", "sd", "low", "high", "log")


def population(
    file: options.File,
    vary: Annotated[list[str], typer.Option(help="A range to draw from: name=low:high, or with :log10.")],
    target: Annotated[
        list[str],
        typer.Option(
            help="What is published: output:summary,mean=,sd=, and after commas low=, high= (plausible "
            "limits) or log (mean and sd are of the natural logarithm). Repeatable."
        ),
    ],
    until: Annotated[float, typer.Option(help="Last time.")],
    out: Annotated[Path, typer.Option(help="Folder; the same command goes on from there.")],
    every: Annotated[float | None, typer.Option(help="Interval of times; a hundredth of --until.")] = None,
    assign: options.Assign = None,
    dose: Annotated[list[str] | None, typer.Option(help="As of model simulate. Repeatable.")] = None,
    candidates: Annotated[int, typer.Option(help="Vectors that are drawn.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 1,
    accuracy: options.Accuracy = 1e-5,
    as_json: Json = False,
) -> None:
    """Virtual patients of a model: drawn, kept where plausible, chosen and weighted to what is published."""
    model = engine.compile(file)
    targets = tuple(_target(text) for text in target)
    question = workshop.Question(
        model,
        tuple(range_of(text) for text in vary),
        tuple(dict.fromkeys(one.output for one in targets)),
        options.grid(until, every),
        targets[0].summary,
        options.assignments(assign, "--set"),
        doses(dose, model, until, 1.0),
        engine.Settings(accuracy=accuracy),
    )
    with told_bar() as told:
        found = workshop.populate(
            question, targets, workshop.Drawing(candidates, seed), folder=out, told=told
        )
    found.save(out)
    if as_json:
        print_json({"model": model.name, "folder": str(out), **found.as_dict()})
        return
    rows = [
        (row["target"], *(f"{value:.4g}" for name, value in row.items() if name != "target"))
        for row in found.fits.to_dicts()
    ]
    print_table(f"{model.name}: published and found", found.fits.columns, rows)
    about = found.as_dict()
    console.print(
        f"{about['plausible']} of {candidates} candidates are plausible, {about['failed']} failed; "
        f"{about['accepted']} accepted; weights worth {found.effective:.0f} patients."
    )


def follow(
    model: engine.Model,
    folder: Path,
    patients: int,
    times: NDArray[np.float64],
    given: dict[str, float],
    wanted: engine.Doses | None,
    names: list[str] | None,
    settings: engine.Settings,
) -> pl.DataFrame:
    """Quantiles of a population's outputs, one row a time and output; failed patients are counted."""
    people = workshop.load_population(folder).patients(patients)
    ensemble = model.ensemble({**given, **people}, patients=patients, settings=settings)
    result = ensemble.simulate(times, workshop.everyone(wanted, patients), names)
    fine = result.status == 0
    marks = np.quantile(result.values[fine], QUANTILES, axis=0)
    return pl.DataFrame(
        [
            {
                "time": float(times[t]),
                "output": output,
                **{f"q{100 * share:g}": float(marks[q, t, k]) for q, share in enumerate(QUANTILES)},
                "patients": int(fine.sum()),
                "failed": int((~fine).sum()),
            }
            for t in range(times.size)
            for k, output in enumerate(result.outputs)
        ]
    )


def _target(text: str) -> workshop.Target:
    head, *words = (part.strip() for part in text.split(","))
    output, sign, summary = head.partition(":")
    values: dict[str, float] = {}
    for word in words:
        name, _, given = word.partition("=")
        value = 1.0 if word == "log" else options.number(given)
        if name not in WORDS or name in values or value is None:
            raise _unusable(text)
        values[name] = value
    if not (sign and output and summary) or not {"mean", "sd"} <= values.keys():
        raise _unusable(text)
    return workshop.Target(
        output,
        summary,
        values["mean"],
        values["sd"],
        "log" in values,
        values.get("low", float("-inf")),
        values.get("high", float("inf")),
    )


def _unusable(text: str) -> InputError:
    return InputError(
        "GP-W037",
        f'"{text}" is no target',
        where="--target",
        expected="output:summary,mean=number,sd=number, such as conc:max,mean=50,sd=10,low=5",
        next_step="correct the text",
    )
