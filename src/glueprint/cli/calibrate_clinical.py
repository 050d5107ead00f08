"""`glueprint calibrate clinical`: fit the trial model to published summaries of the reference's trials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from glueprint import references
from glueprint.calibration import clinical, prediction
from glueprint.calibration.clinical import ClinicalPosterior
from glueprint.cli import bars, trial_draws
from glueprint.cli.output import Json, between, print_json, print_table, progress_console

STRUCTURE_HELP = f"Structure of the tumour: {' or '.join(clinical.STRUCTURES)}."


def clinical_command(
    out: Annotated[Path | None, typer.Option(help="Folder for the posterior's files.")] = None,
    structure: Annotated[str, typer.Option(help=STRUCTURE_HELP)] = trial_draws.DEFAULT,
    arms_only: Annotated[
        bool, typer.Option("--arms-only", help="Leave hazard ratios between arms out, and predict them.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(help="Fit this trial alone, and predict the others of the reference.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes; the numbers do not depend on it.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Few simulations: a first look.")] = False,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Show the posterior that comes with Glueprint.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit the reference's trials: posterior, what is not identified, each summary beside the model."""
    scope = only or ("arms" if arms_only else "trials")
    if shipped:
        found = clinical.posterior(structure, scope)
    else:
        found = _fit(structure, scope, clinical.QUICK if quick else None, seed, workers)
    written = list(clinical.save(found, out)) if out is not None else []
    if as_json:
        print_json(_plain(found))
        return
    _print(found)
    for path in written:
        progress_console.print(f"wrote {path}")


def _fit(
    structure: str, scope: str, effort: clinical.Effort | None, seed: int, workers: int
) -> ClinicalPosterior:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with bars.bar(*columns) as bar:
        task = bar.add_task("search", total=None)

        def told(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        return clinical.calibrate(
            structure=structure, scope=scope, effort=effort, seed=seed, workers=workers, told=told
        )


def _print(found: ClinicalPosterior) -> None:
    print_table(
        f"Posterior, {found.structure}, fitted to {_read(found.scope)}",
        ("parameter", "unit", "prior", "median", "95 %", "contraction", "verdict"),
        [
            (p["name"], p["unit"], p["prior"], f"{p['median']:.4g}", between(p["low_95"], p["high_95"]),
             f"{p['contraction']:.2f}", p["verdict"])
            for p in found.parameters.iter_rows(named=True)
        ],
    )  # fmt: skip
    print_table(
        "Published summaries beside the model",
        ("trial", "arm", "endpoint", "published", "expected", "95 %", "a trial's 95 %", "z", "inside",
         "label"),
        [
            (s["trial"], s["arm"], s["endpoint"], s["readings"], f"{s['expected']:.3g}",
             between(s["expected_low"], s["expected_high"]), between(s["trial_low"], s["trial_high"]),
             f"{s['z']:+.1f}", "yes" if s["inside"] else "no", s["label"])
            for s in found.summaries.iter_rows(named=True)
        ],
    )  # fmt: skip
    if found.held_out is not None:
        _print_check(found.held_out)
    rows = [(one, other, f"{r:.2f}") for one, other, r in found.correlations().iter_rows()]
    print_table("Tied together", ("parameter", "parameter", "correlation"), rows)
    status = found.status if not found.reason else f"{found.status}: {found.reason}"
    worst, fewest = (found.diagnostics[name].to_numpy() for name in ("r_hat", "effective_draws"))
    checks = [
        ("status", status),
        ("largest split R-hat", f"{worst.max():.3f}"),
        ("fewest effective draws", f"{fewest.min():.0f}"),
        ("least misfit", f"{found.misfit:.1f} of {found.targets} summaries"),
        ("effective number of parameters", f"{found.effective_parameters:.1f} of {found.parameters.height}"),
        ("log evidence", f"{found.log_evidence:.1f}"),
        ("simulated trials", str(len(references.default().trials) * found.simulations)),
    ]
    print_table("Fit", ("", ""), checks)


def _read(scope: str) -> str:
    """What a fit has read, in words."""
    return f"the {scope}" if scope in ("trials", "arms") else f"{scope} alone"


def _print_check(scores: pl.DataFrame) -> None:
    counted = prediction.total(scores)
    print_table(
        f"The check inside the evidence: {counted['inside']:.0f} of {counted['scored']:.0f} rows that were "
        f"not fitted lie inside, mean log score {counted['mean_log_score']:.2f}, median width ratio "
        f"{counted['median_width_ratio']:.2f}",
        ("trial", "arm", "endpoint", "published", "predicted", "inside", "log score", "claim", "note"),
        [
            (s["trial"], s["arm"], s["endpoint"], f"{s['observed']:g}",
             trial_draws.between(s["predicted"], s["low"], s["high"]),
             {True: "yes", False: "no", None: ""}[s["inside"]],
             "" if s["log_score"] is None else f"{s['log_score']:.2f}", s["source"], s["note"])
            for s in scores.iter_rows(named=True)
        ],
    )  # fmt: skip


def _plain(found: ClinicalPosterior) -> dict[str, Any]:
    return {
        "structure": found.structure,
        "scope": found.scope,
        "status": found.status,
        "reason": found.reason,
        "settings": dict(found.settings),
        "misfit": found.misfit,
        "targets": found.targets,
        "log_evidence": found.log_evidence,
        "simulations": found.simulations,
        "digest": found.digest,
        "parameters": found.parameters.to_dicts(),
        "summaries": found.summaries.to_dicts(),
        "correlations": found.correlations().to_dicts(),
        "diagnostics": found.diagnostics.to_dicts(),
        "held_out": None if found.held_out is None else found.held_out.to_dicts(),
    }
