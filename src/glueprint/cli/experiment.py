"""`glueprint experiment`: list and run in-silico assays, and check the facts they bear out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from glueprint import evidence, experiments, references
from glueprint.cli.choices import completed
from glueprint.cli.csv_files import csv_text
from glueprint.cli.output import Json, print_json, print_table, progress_console
from glueprint.cli.plates import FigureFile
from glueprint.errors import InputError
from glueprint.experiments import Experiment, Reading
from glueprint.runs.store import write_file

app = typer.Typer(no_args_is_help=True)
ALL = "all"
REFERENCE = references.default().compound
# Names of cell lines, substrates, systems and files; never an expression.
WORD = re.compile(r"[\w(./~][\w .()/+~-]*")

Compound = Annotated[str, typer.Option(help="Built-in compound or path of a TOML file.")]


@app.command("list")
def list_experiments(as_json: Json = False) -> None:
    """List the experiments, the question of each and its settings."""
    rows = [
        {
            "name": name,
            "title": experiments.title(name),
            "question": experiments.described(name).question,
            "settings": experiments.settings_of(name),
            "parameters": experiments.parameters_of(name),
        }
        for name in experiments.available()
    ]
    if as_json:
        print_json(rows)
        return
    shown = [
        (row["name"], row["question"], ", ".join(experiments.settings_of(str(row["name"])))) for row in rows
    ]
    print_table("Experiments", ("name", "what it answers", "settings"), shown)


@app.command()
def run(
    name: Annotated[
        str,
        typer.Argument(
            help='Name of an experiment (see list), or "all".',
            autocompletion=completed(experiments.available),
        ),
    ],
    compound: Compound = REFERENCE,
    line: Annotated[str | None, typer.Option(help="Cell line or type, by name or TOML file.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value, e.g. rho=8 or doses_nm=1,10,100; may repeat."),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Without measurement error: the model itself, no intervals.")
    ] = False,
    figure: FigureFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for tables (CSV) and figures (SVG).")] = None,
    as_json: Json = False,
) -> None:
    """Run an experiment, or all, and print what a lab would read from it."""
    if name == ALL:
        _refuse_for_all(line, setting, figure)
    found = []
    for one in experiments.available() if name == ALL else (name,):
        settings = _settings(one, setting, line, dict(experiments.without_error(one)) if exact else {})
        done = experiments.run(one, compound=compound, **settings)
        found.append(done)
        if out is not None:
            _keep(done, out)
        if figure is not None:
            _draw(done, figure)
    if as_json:
        print_json([_plain(done) for done in found] if name == ALL else _plain(found[0]))
        return
    for done in found:
        _print(done)


@app.command("export")
def export_runs(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of an experiment (see list).", autocompletion=completed(experiments.available)
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the archives, NAME-1.omex and so on.")],
    compound: Compound = REFERENCE,
    line: Annotated[str | None, typer.Option(help="Cell line or type, by name or TOML file.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, as of run; may repeat.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what an experiment simulates for other programs: a COMBINE archive of each condition and dose."""
    settings = _settings(name, setting, line, {})
    rows = []
    for number, one in enumerate(experiments.archives(name, compound=compound, **settings), start=1):
        place = out / f"{name}-{number}.omex"
        write_file(place, one.package.data)
        rows.append({"file": str(place), **one.run.as_dict()})
    if as_json:
        print_json(rows)
        return
    heads = ("file", "cells", "compound", "dose, nM", "hours", "changed")
    shown = [
        (r["file"], r["cells"], r["compound"], f"{r['dose_nm']:g}", f"{r['until_h']:g}", r["changed"])
        for r in rows
    ]
    print_table(f"{experiments.title(name)}: {len(rows)} archives", heads, shown)


@app.command()
def facts(as_json: Json = False) -> None:
    """Compute facts of the evidence, and say which were predicted, which used, which wrong."""
    table = experiments.facts.check()
    if as_json:
        print_json(table.to_dicts())
        return
    rows = [
        (
            row["claim"],
            row["statement"],
            row["computed"],
            "yes" if row["right"] else "no",
            row["label"],
            row["why"],
        )
        for row in table.iter_rows(named=True)
    ]
    print_table("Facts", ("evidence", "what it says", "computed", "right", "label", "why"), rows)
    counted = table.filter(pl.col("counts"))
    right = counted.filter(pl.col("right")).height
    print_table("Predictions", ("not used", "right"), [(counted.height, right)])


def _settings(
    experiment: str, texts: list[str] | None, line: str | None, exact: dict[str, Any]
) -> dict[str, Any]:
    """What was set, by name: each once, and nothing of it also said by --line or --exact.

    Raises InputError GP-L002, and as `_setting` and `_line`.
    """
    found = exact | _line(experiment, line)
    for text in texts or ():
        name, value = _setting(experiment, text)
        if name in found and value != found[name]:
            raise InputError(
                "GP-L002",
                f'"{text}": {name} is {found[name]} already',
                where="--set",
                expected="each setting once, and none that --line or --exact says",
                next_step="leave one of them out",
            )
        found[name] = value
    return found


def _setting(experiment: str, text: str) -> tuple[str, object]:
    """name=value as a number, a tuple of numbers or, where the setting holds words, as words.

    Raises InputError GP-L002 if it is none of these.
    """
    key, mark, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if mark and value and _holds_words(experiment, key):
        words = tuple(word.strip() for word in value.split(","))
        if all(WORD.fullmatch(word) for word in words):
            plural = isinstance(experiments.settings_of(experiment)[key], tuple)
            return key, words if plural else words[0] if len(words) == 1 else value
    try:
        number = ast.literal_eval(value)
        flat = number if isinstance(number, tuple) else (number,)
        good = bool(mark) and all(type(item) in (int, float) for item in flat)
    except (ValueError, SyntaxError):
        good = False
    if not good:
        raise InputError(
            "GP-L002",
            f'"{text}" is not a setting',
            where="--set",
            expected="name=value with a number, or numbers with commas, in the unit that the name ends with, "
            "such as doses_nm=1,10,100 (nM) or days=3",
            next_step="see `glueprint experiment list` for the names",
        )
    return key, number


def _holds_words(experiment: str, key: str) -> bool:
    default = experiments.settings_of(experiment).get(key)
    first = default[0] if isinstance(default, tuple) and default else default
    return isinstance(first, str)


def _line(experiment: str, line: str | None) -> dict[str, object]:
    """The line as the setting that the experiment has for it. Raises InputError GP-L004 if it has none."""
    if line is None:
        return {}
    known = experiments.settings_of(experiment)
    if "lines" in known:
        return {"lines": (line,)}
    if "line" in known:
        return {"line": line}
    raise InputError(
        "GP-L004",
        f"{experiment} has no cell line",
        where="--line",
        expected="an experiment in cells",
        next_step="leave --line out",
    )


def _refuse_for_all(line: str | None, setting: list[str] | None, figure: Path | None) -> None:
    given = [n for n, value in (("--line", line), ("--set", setting), ("--figure", figure)) if value]
    if given:
        raise InputError(
            "GP-L004",
            f"{given[0]} cannot go to all experiments",
            where=given[0],
            expected="all with --compound, --exact and --out only",
            next_step="run that experiment by its name; --out DIR draws the figures of all",
        )


def _keep(found: Experiment, folder: Path) -> None:
    """Table, readings, parameters and figure of an experiment, as files named after it."""
    readings = pl.DataFrame(
        [{**r.as_dict(), "claims": ", ".join(r.claims)} for r in found.readings], infer_schema_length=None
    )
    parameters = found.parameters.with_columns(pl.col(pl.List(pl.String)).list.join(", "))
    for part, table in (("table", found.table), ("readings", readings), ("parameters", parameters)):
        if table.width:
            write_file(folder / f"{found.name}_{part}.csv", csv_text(table))
    _draw(found, folder / f"{found.name}.svg")


def _draw(found: Experiment, target: Path) -> None:
    # Drawing costs an import that numbers need not pay.
    from glueprint.report import figures
    from glueprint.report.figures.experiments import experiment

    figures.save(experiment(found), target)


def _print(found: Experiment) -> None:
    rows = [
        (r.name, _value(r), _interval(r), r.unit, r.label, "; ".join(_published(r)), r.note)
        for r in found.readings
    ]
    print_table(
        f"{found.title}: {found.compound}. {found.question}",
        ("reading", "value", "interval", "unit", "label", "evidence", "note"),
        rows,
    )
    print_table("Assumptions", ("assumed",), [(text,) for text in found.assumptions])
    for finding in found.outside:
        progress_console.print(f"beyond the evidence: {finding}", markup=False)


def _published(reading: Reading) -> Iterator[str]:
    """Every claim with what it says."""
    claims = evidence.load()
    for name in reading.claims:
        claim = claims[name]
        bounds = [f"{bound:g}" for bound in (claim.low, claim.high) if bound is not None]
        said = f"{claim.value:g}" if claim.value is not None else " to ".join(bounds)
        yield f"{name} {said} {claim.unit}".strip() if said else name


def _plain(found: Experiment) -> dict[str, object]:
    return {
        "name": found.name,
        "title": found.title,
        "question": found.question,
        "compound": found.compound,
        "settings": dict(found.settings),
        "assumptions": list(found.assumptions),
        "outside": [finding.as_dict() for finding in found.outside],
        "readings": [reading.as_dict() for reading in found.readings],
        "table": found.table.to_dicts(),
        "parameters": found.parameters.to_dicts(),
    }


def _value(reading: Reading) -> str:
    if reading.value is None:
        return "between" if reading.relation == "between" else "none"
    sign = "" if reading.relation == "=" else f"{reading.relation} "
    return f"{sign}{reading.value:.4g}"


def _interval(reading: Reading) -> str:
    if reading.low is None and reading.high is None:
        return ""
    low = "open" if reading.low is None else f"{reading.low:.4g}"
    return f"{low} to {'open' if reading.high is None else f'{reading.high:.4g}'}"
