"""`glueprint experiment`: list and run in-silico assays."""

from __future__ import annotations

import ast
from typing import Annotated

import typer

from glueprint import experiments
from glueprint.cli.output import Json, print_json, print_table
from glueprint.errors import InputError
from glueprint.experiments import Experiment, Reading

app = typer.Typer(help="In-silico assays: list, run.", no_args_is_help=True)


@app.command("list")
def list_experiments(as_json: Json = False) -> None:
    """List the experiments and their settings."""
    rows = [
        {"name": name, "title": experiments.title(name), "settings": experiments.settings_of(name)}
        for name in experiments.available()
    ]
    if as_json:
        print_json(rows)
        return
    shown = [
        (row["name"], row["title"], ", ".join(experiments.settings_of(str(row["name"])))) for row in rows
    ]
    print_table("Experiments", ("name", "what it is", "settings"), shown)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Name of an experiment (see list).")],
    compound: Annotated[str, typer.Option(help="Built-in compound or path of a TOML file.")] = "pomalidomide",
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value, e.g. rho=8 or doses_nm=1,10,100; may repeat."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run an experiment and print what a lab would read from it."""
    settings = dict(_setting(text) for text in setting or [])
    found = experiments.run(name, compound=compound, **settings)
    if as_json:
        print_json(_plain(found))
        return
    rows = [
        (r.name, _value(r), _interval(r), r.unit, r.label, ", ".join(r.claims), r.note)
        for r in found.readings
    ]
    print_table(
        f"{found.title}: {found.compound}",
        ("reading", "value", "interval", "unit", "label", "evidence", "note"),
        rows,
    )
    print_table("Assumptions", ("assumed",), [(text,) for text in found.assumptions])


def _setting(text: str) -> tuple[str, object]:
    """name=value as a number or a tuple of numbers.

    Raises InputError GP-L002 if it is neither.
    """
    key, mark, value = text.partition("=")
    try:
        number = ast.literal_eval(value.strip())
        flat = number if isinstance(number, tuple) else (number,)
        good = bool(mark) and all(isinstance(item, int | float) for item in flat)
    except (ValueError, SyntaxError):
        good = False
    if not good:
        raise InputError(
            "GP-L002",
            f'"{text}" is not a setting',
            where="--set",
            expected="name=value with a number or numbers with commas, e.g. doses_nm=1,10,100",
            next_step="see `glueprint experiment list` for the names",
        )
    return key.strip(), number


def _plain(found: Experiment) -> dict[str, object]:
    return {
        "name": found.name,
        "title": found.title,
        "compound": found.compound,
        "settings": dict(found.settings),
        "assumptions": list(found.assumptions),
        "readings": [reading.as_dict() for reading in found.readings],
        "table": found.table.to_dicts(),
    }


def _value(reading: Reading) -> str:
    if reading.value is None:
        return "none"
    sign = "" if reading.relation == "=" else f"{reading.relation} "
    return f"{sign}{reading.value:.4g}"


def _interval(reading: Reading) -> str:
    if reading.low is None and reading.high is None:
        return ""
    low = "open" if reading.low is None else f"{reading.low:.4g}"
    return f"{low} to {'open' if reading.high is None else f'{reading.high:.4g}'}"
