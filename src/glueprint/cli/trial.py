"""`glueprint trial`: list, show, run and write protocols of virtual trials."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from glueprint import trials
from glueprint.cli.output import Json, print_json, print_table, progress_console
from glueprint.runs.store import write_tables
from glueprint.trials import TrialResult
from glueprint.trials.protocol import Drug

app = typer.Typer(help="Virtual clinical trials: list, show, run, template.", no_args_is_help=True)

TrialName = Annotated[str, typer.Argument(help="Name of a protocol (see list) or path of a TOML file.")]

HEADLINES = {
    "orr": "ORR, %",
    "median_pfs": "median PFS, months",
    "median_os": "median OS, months",
    "median_dor": "median DoR, months",
    "neutropenia_grade_3_4": "neutropenia 3/4, %",
    "anaemia_grade_3_4": "anaemia 3/4, %",
    "thrombocytopenia_grade_3_4": "thrombocytopenia 3/4, %",
    "pneumonia_grade_3_4": "pneumonia 3/4, %",
    "dose_interruption": "dose held, %",
    "dose_reduction": "dose reduced, %",
    "orr_odds_ratio": "odds ratio of response",
    "hr_pfs": "hazard ratio PFS",
    "hr_os": "hazard ratio OS",
}


@app.command("list")
def list_trials(as_json: Json = False) -> None:
    """List the protocols that come with Glueprint."""
    protocols = [trials.load_protocol(name) for name in trials.available()]
    if as_json:
        print_json([{"name": p.name, "title": p.title, "registry": p.registry} for p in protocols])
        return
    rows = [(p.name, p.registry, p.patients, p.title) for p in protocols]
    print_table("Protocols", ("name", "registry", "patients", "title"), rows)


@app.command()
def show(trial: TrialName, as_json: Json = False) -> None:
    """Show a protocol: arms, doses, visits, case-mix, each with its source."""
    protocol = trials.load_protocol(trial)
    if as_json:
        print_json(protocol.model_dump(mode="json"))
        return
    rows: list[tuple[object, ...]] = []
    for arm in protocol.arms:
        drugs: list[tuple[str, object, Drug]] = [(arm.name, arm.patients, drug) for drug in arm.drugs]
        if arm.after_progression:
            share = f"{100 * arm.after_progression.share_of_progressed:.0f} % of progressed"
            drugs += [(f"{arm.name}, then", share, drug) for drug in arm.after_progression.drugs]
        rows += [(name, n, d.compound, d.dose_mg, d.days, d.rules or "") for name, n, d in drugs]
    print_table(
        f"{protocol.name}: {protocol.title}", ("arm", "patients", "drug", "mg", "days", "dose rules"), rows
    )
    mix = [(name, _describe(getattr(protocol.case_mix, name))) for name in protocol.case_mix.names]
    print_table("Case-mix", ("covariate", "distribution"), mix)


def _describe(distribution: Any) -> str:
    """A distribution in words: its kind, its numbers, where it comes from."""
    fields = distribution.model_dump(exclude={"kind", "sources", "assumed"})
    shares = fields.pop("shares", {})
    numbers = ", ".join(f"{name} {value:g}" for name, value in {**shares, **fields}.items())
    origin = [*distribution.sources, *([f"assumed: {distribution.assumed}"] if distribution.assumed else [])]
    return f"{distribution.kind}: {numbers} ({'; '.join(origin)})"


@app.command()
def template(
    out: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Write a commented protocol file that loads and runs."""
    text = trials.template()
    if out is None:
        sys.stdout.write(text)
        return
    trials.write_template(out)
    progress_console.print(f"wrote {out}; next: glueprint trial run {out}")


@app.command()
def run(
    trial: TrialName,
    replicates: Annotated[int, typer.Option(help="How many virtual trials.")] = 1,
    seed: Annotated[int, typer.Option(help="Same seed, same bits.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes; the result does not depend on it.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for Parquet tables.")] = None,
    as_json: Json = False,
) -> None:
    """Run virtual trials and print what a trial reports."""
    protocol = trials.load_protocol(trial)
    if out is not None:
        # A folder that cannot be written is better known before the work than after it.
        write_tables(out, {})
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=progress_console,
        transient=True,
    )
    with bar:
        task = bar.add_task(f"{protocol.name}, {replicates} trial(s)", total=1.0)
        result = trials.run(
            protocol, replicates, seed, lambda share: bar.update(task, completed=share), workers
        )
    if out is not None:
        write_tables(out, result.tables())
    if as_json:
        print_json(result.summary())
        return
    _print(result)


def _print(result: TrialResult) -> None:
    """The headline endpoints: every replicate, or their mean and range."""
    arms = [*dict.fromkeys(result.endpoints.get_column("arm").to_list())]
    cells: dict[tuple[str, str], str] = {}
    if result.replicates == 1:
        for row in result.endpoints.iter_rows(named=True):
            cells[row["arm"], row["endpoint"]] = _cell(row["value"], row["low"], row["high"], row["p_value"])
        kind = "95 % intervals"
    else:
        for row in result.overview().iter_rows(named=True):
            cells[row["arm"], row["endpoint"]] = _cell(row["mean"], row["low"], row["high"], None)
        kind = f"mean of {result.replicates} trials (2.5 to 97.5 % between them)"
    rows = [
        (label, *(cells.get((arm, endpoint), "") for arm in arms)) for endpoint, label in HEADLINES.items()
    ]
    sizes = result.patients.filter(result.patients["replicate"] == 1).group_by("arm").len()
    n = dict(sizes.iter_rows())
    heads = [f"{arm} (n {n[arm]})" if arm in n else arm for arm in arms]
    print_table(f"{result.protocol.name}, seed {result.seed}: {kind}", ("", *heads), rows)
    if result.failed:
        progress_console.print(
            f"{result.failed} patient(s) could not be computed; see `reason` in the patients table"
        )
    progress_console.print(f"These numbers are {result.label}; none is a prediction. See docs/trials.md.")


def _cell(value: float | None, low: float | None, high: float | None, p_value: float | None) -> str:
    if value is None:
        return "not reached"
    text = f"{value:.3g}"
    if low is not None or high is not None:
        ends = ["…" if end is None else f"{end:.3g}" for end in (low, high)]
        text += f" ({ends[0]} to {ends[1]})"
    if p_value is not None:
        text += f", p {p_value:.2g}" if p_value >= 0.0001 else ", p < 0.0001"
    return text
