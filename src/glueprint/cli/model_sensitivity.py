"""`glueprint model sensitivity` and `sweep`: what an output does where parameters vary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from glueprint import engine, workshop
from glueprint.cli import model_options as options
from glueprint.cli import model_tables as tables
from glueprint.cli.bars import told_bar
from glueprint.cli.model_doses import doses
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile
from glueprint.errors import InputError

__all__ = ["Keep", "give", "range_of", "sensitivity", "sweep"]

Vary = Annotated[
    list[str],
    typer.Option(help="A parameter or initial value and its range: name=low:high, or name=low:high:log10."),
]
Output = Annotated[list[str], typer.Option(help="A name of the model. Repeatable.")]
Until = Annotated[float, typer.Option(help="Last time.")]
Every = Annotated[float | None, typer.Option(help="Interval of times; default a hundredth of --until.")]
Summary = Annotated[str, typer.Option(help="Of the output: end, max, min, mean, auc or steady.")]
DoseOption = Annotated[list[str] | None, typer.Option(help="As of glueprint model simulate. Repeatable.")]
Keep = Annotated[
    Path | None, typer.Option(help="Folder where runs are kept: the same command goes on from there.")
]

# Options of a sensitivity by the methods that read them.
READ_BY: Mapping[str, tuple[str, ...]] = {
    "--samples": ("sobol",),
    "--trajectories": ("morris",),
    "--seed": ("morris", "sobol"),
    "--keep": ("morris", "sobol"),
}


def sensitivity(
    file: options.File,
    vary: Vary,
    output: Output,
    until: Until,
    method: Annotated[
        Literal["local", "morris", "sobol"],
        typer.Option(help="Exact slopes at the middle, elementary effects, or shares of the variance."),
    ] = "local",
    summary: Summary = "end",
    every: Every = None,
    assign: options.Assign = None,
    dose: DoseOption = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Of sobol, a power of 2: so many runs for each name, and twice more.", show_default="1024"
        ),
    ] = None,
    trajectories: Annotated[int | None, typer.Option(help="Of morris.", show_default="50")] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of morris and sobol: the same seed gives the same bits.", show_default="1"),
    ] = None,
    accuracy: options.Accuracy = 1e-5,
    out: options.Out = None,
    figure: FigureFile = None,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """How much each parameter moves an output: exact slopes, Morris' elementary effects, Sobol's indices."""
    _acts(method, {"--samples": samples, "--trajectories": trajectories, "--seed": seed, "--keep": keep})
    question = _question(file, vary, output, until, every, summary, assign, dose, accuracy)
    chance = {"seed": 1 if seed is None else seed}
    with told_bar() as told:
        if method == "local":
            answer = workshop.local(question)
        elif method == "morris":
            count = 50 if trajectories is None else trajectories
            answer = workshop.morris(question, trajectories=count, **chance, folder=keep, told=told)
        else:
            count = 1024 if samples is None else samples
            answer = workshop.sobol(question, samples=count, **chance, folder=keep, told=told)
    _give(answer, question, (out, figure), as_json=as_json)


def _acts(method: str, given: Mapping[str, object]) -> None:
    """Refuse options that the method does not read. Raises InputError GP-W027."""
    idle = [name for name, value in given.items() if value is not None and method not in READ_BY[name]]
    if idle:
        raise InputError(
            "GP-W027",
            f"{idle[0]} would act on nothing",
            where=f"--method {method}",
            expected=f"it with --method {' or '.join(READ_BY[idle[0]])}",
            next_step="leave it out, or choose another method",
        )


def sweep(
    file: options.File,
    vary: Vary,
    output: Output,
    until: Until,
    points: Annotated[int, typer.Option(help="Of each range.")] = 25,
    summary: Summary = "end",
    every: Every = None,
    assign: options.Assign = None,
    dose: DoseOption = None,
    accuracy: options.Accuracy = 1e-5,
    out: options.Out = None,
    figure: FigureFile = None,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """An output over one range or two: dose and response with --summary steady, or a plane."""
    question = _question(file, vary, output, until, every, summary, assign, dose, accuracy)
    with told_bar() as told:
        answer = workshop.sweep(question, points=points, folder=keep, told=told)
    _give(answer, question, (out, figure), as_json=as_json)


def _give(
    answer: workshop.Answer,
    question: workshop.Question,
    files: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    about = {"model": question.model.name, "summary": question.summary}
    give(answer, question, about, f"{workshop.SUMMARIES[question.summary]}.", files, as_json=as_json)


def _question(
    file: Path,
    vary: list[str],
    output: list[str],
    until: float,
    every: float | None,
    summary: str,
    assign: list[str] | None,
    dose: list[str] | None,
    accuracy: float,
) -> workshop.Question:
    model = engine.compile(file)
    return workshop.Question(
        model,
        tuple(range_of(text) for text in vary),
        tuple(output),
        options.grid(until, every),
        summary,
        options.assignments(assign, "--set"),
        doses(dose, model, until, 1.0),
        engine.Settings(accuracy=accuracy),
    )


def range_of(text: str) -> workshop.Range:
    """`name=low:high` or `name=low:high:log10`. Raises InputError GP-W027."""
    name, sign, limits = text.partition("=")
    low, _, rest = limits.partition(":")
    high, _, scale = rest.partition(":")
    numbers = options.number(low), options.number(high)
    if not sign or not name.strip() or numbers[0] is None or numbers[1] is None:
        raise InputError(
            "GP-W027",
            f'"{text}" is no range',
            where="--vary",
            expected="name=low:high, or name=low:high:log10",
            next_step="correct the text",
        )
    return workshop.Range(name.strip(), numbers[0], numbers[1], scale.strip() or "lin")


def give(
    answer: workshop.Answer,
    question: workshop.Asked,
    about: dict[str, Any],
    told: str,
    files: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    """Write and show an answer.

    about: whose it is, its first value in a heading.   told: the line below the table.   files: of the table
    and of the figure, where they are wanted.
    """
    out, figure = files
    if out is not None:
        tables.write_table(answer.table, out)
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures
        from glueprint.report.figures.workshop import of_answer

        figures.save(of_answer(answer, question), figure)
    empty = sum(answer.table[name].null_count() for name in question.outputs if name in answer.table.columns)
    lacking = [f"{empty} cells are empty: there is no value, or the run failed."] if empty else []
    if as_json:
        counted = {"method": answer.method, "runs": answer.runs}
        said = [{"severity": "warning", "message": text} for text in lacking]
        print_json({**about, **counted, "table": answer.table.to_dict(as_series=False)}, findings=said)
    elif out is None:
        rows = [[_cell(cell) for cell in row] for row in tables.thinned(answer.table).rows()]
        print_table(f"{next(iter(about.values()))}: {answer.method}", answer.table.columns, rows)
        console.print(f"{answer.runs} runs; {told}")
    if not as_json:
        for text in lacking:
            console.print(text)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
