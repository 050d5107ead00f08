"""`glueprint model fit`: a user's own model to a user's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glueprint import workshop
from glueprint.cli.bars import told_bar
from glueprint.cli.model_options import Accuracy
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile, write_tables

__all__ = ["fit"]

COLUMNS = ("parameter", "estimate", "low", "high", "verdict", "bounds")
MOST_STARTS = 10


def fit(
    problem: Annotated[
        Path,
        typer.Argument(
            help="Problem as .toml (docs/workshop.md) or as .yaml of PEtab 1 or 2.", show_default=False
        ),
    ],
    starts: Annotated[int, typer.Option(help="Searches from as many starts.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the starts; the same seed gives the same bits.")] = 1,
    rounds: Annotated[int, typer.Option(help="Evaluations of each search at most.")] = 200,
    confidence: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    accuracy: Accuracy = 1e-7,
    profiles: Annotated[bool, typer.Option(help="Seek the limits of each parameter.")] = True,
    posterior: Annotated[
        int,
        typer.Option(help="Draw from the posterior, so many steps of every walker; 0 draws none."),
    ] = 0,
    figure: FigureFile = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for all tables; the same command goes on from what it holds.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever the folder holds.")] = False,
    as_json: Json = False,
) -> None:
    """Fit a model to data: searches from many starts, limits and a verdict for each parameter."""
    settings = workshop.Settings(starts, seed, rounds, confidence, accuracy, profiles)
    sampling = workshop.Sampling(posterior, seed=seed) if posterior else None
    read = workshop.read(problem)
    with told_bar() as told:
        found = (
            workshop.fit(read, settings, told=told)
            if out is None
            else workshop.fit_into(out, read, settings, fresh=fresh, told=told)
        )
        draws = None
        if sampling is not None:
            draws = workshop.draw_posterior(found, sampling, folder=out, told=told)
    if out is not None:
        write_tables(out, found.tables if draws is None else {**found.tables, "posterior": draws.table})
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures

        figures.save(found.plot(), figure)
    if as_json:
        print_json({**found.as_dict(), "posterior": None if draws is None else draws.as_dict()})
    else:
        _print(found)
        if draws is not None:
            _print_draws(draws)
    if found.status == "not converged":
        raise typer.Exit(1)


def _print(found: workshop.Fit) -> None:
    rows = [
        (
            row["parameter"],
            _number(row["estimate"]),
            _number(row["low"]),
            _number(row["high"]),
            row["verdict"],
            f"{row['lower_bound']:.4g} to {row['upper_bound']:.4g}",
        )
        for row in found.tables["parameters"].to_dicts()
    ]
    share = f"{100 * found.settings.confidence:g} %"
    print_table(f"{found.problem.name}: best values and {share} limits", COLUMNS, rows)
    starts = found.tables["starts"]
    print_table(
        "Searches, the best first",
        ("rank", "above the best", "evaluations", "status", "reason"),
        [
            (row["rank"], f"{row['above_best']:.3g}", row["evaluations"], row["status"], row["reason"])
            for row in starts.head(MOST_STARTS).to_dicts()
        ],
    )
    if starts.height > MOST_STARTS:
        console.print(f"{starts.height - MOST_STARTS} further searches; --json and --out have all.")
    console.print(
        f"Log-likelihood {found.log_likelihood:.6g} of {len(found.problem.rows)} measurements; minus log "
        f"posterior {found.value:.6g}; {found.found_again} of {starts.height} searches ended there."
    )
    for verdict in dict.fromkeys(row["verdict"] for row in found.tables["parameters"].to_dicts()):
        if verdict not in ("", "identified"):
            console.print(f"{verdict}: {workshop.VERDICTS[verdict]}.")
    for row in found.tables["parameters"].to_dicts():
        if row["elsewhere"] is not None:
            console.print(f"{row['parameter']} is {_number(row['elsewhere'])} in a search that ended as low.")
    for note in (*found.notes, *([found.reason] if found.reason else [])):
        console.print(f"{note}.")


def _print_draws(draws: workshop.Draws) -> None:
    rows = [
        [_number(cell) if isinstance(cell, float) else cell for cell in row] for row in draws.table.rows()
    ]
    print_table("Posterior", draws.table.columns, rows)
    console.print(f"Draws: {draws.status}." + (f" {draws.reason}." if draws.reason else ""))


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.5g}"
