"""`glueprint calibrate`: fit parameters to published numbers, and say what the numbers could not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from glueprint import evidence, references
from glueprint.calibration import in_vitro, prognosis
from glueprint.calibration.in_vitro import QUICK_STEPS, STEPS, InVitroPosterior
from glueprint.cli import bars
from glueprint.cli.calibrate_clinical import clinical_command
from glueprint.cli.output import Json, between, print_json, print_table, progress_console
from glueprint.cli.plates import FigureFile
from glueprint.report.figures import posterior as figure
from glueprint.report.figures.drawing import save as save_figure

app = typer.Typer(no_args_is_help=True)


app.command("clinical")(clinical_command)


@app.command("in-vitro")
def in_vitro_command(
    out: Annotated[Path | None, typer.Option(help="Folder for draws and description.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of each walker.")] = STEPS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help=f"{QUICK_STEPS} steps: a first look.")] = False,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Show the posterior that comes with Glueprint.")
    ] = False,
    claims: Annotated[
        bool, typer.Option("--claims", help="Say what became of every claim, and stop.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Id of a claim that the fit does not read, and so predicts. Repeatable."),
    ] = None,
    leave_out: Annotated[
        bool,
        typer.Option("--leave-out", help="Each claim of the guide by a fit without it."),
    ] = False,
    drawn: FigureFile = None,
    as_json: Json = False,
) -> None:
    """Fit all in-vitro claims at once: posterior, what is not identified, every claim with its prediction."""
    if claims:
        _print_claims(as_json)
        return
    count = QUICK_STEPS if quick else steps
    if leave_out:
        _leave_out(out, None if shipped else count, seed, as_json=as_json)
        return
    found = in_vitro.posterior() if shipped else _fit(count, seed, without or ())
    written = list(in_vitro.save(found, out)) if out is not None else []
    if drawn is not None:
        save_figure(figure.overview(found.parameters, found.comparison(), _words()), drawn)
        written.append(drawn)
    if as_json:
        print_json(_plain(found))
        return
    _print(found)
    for path in written:
        progress_console.print(f"wrote {path}")


@app.command("prognosis")
def prognosis_command(as_json: Json = False) -> None:
    """What published prognosis says of covariates and of trials, and which half of it is withheld."""
    found = prognosis.prognosis(evidence.load())
    if as_json:
        print_json(
            {
                "contrasts": found.contrasts.to_dicts(),
                "effects": found.effects.to_dicts(),
                "trials": found.trials.to_dicts(),
                "left_out": [asdict(claim) for claim in prognosis.left_out()],
            }
        )
        return
    print_table(
        "Contrasts: log ratio of one step, positive is worse",
        ("covariate", "endpoint", "source", "claims", "one step", "95 %", "use"),
        [
            (c["covariate"], c["endpoint"], c["source"], c["claims"], f"{c['per_step']:.2f}",
             between(c["low"], c["high"]), c["use"])
            for c in found.contrasts.iter_rows(named=True)
        ],
    )  # fmt: skip
    print_table(
        "Priors of one step, from contrasts that are not withheld",
        ("covariate", "one step is", "endpoint", "contrasts", "mean", "95 %", "SD in a new population"),
        [
            (e["covariate"], e["step"], e["endpoint"], str(e["contrasts"]), f"{e['mean']:.2f}",
             between(e["low"], e["high"]), f"{e['prior_sd']:.2f}")
            for e in found.effects.iter_rows(named=True)
        ],
    )  # fmt: skip
    print_table(
        "Trials of one regimen: SD of the log of the median",
        ("endpoint", "trials", "SD", "95 %"),
        [
            (t["endpoint"], str(t["trials"]), f"{t['tau']:.2f}", between(t["low"], t["high"]))
            for t in found.trials.iter_rows(named=True)
        ],
    )


def _words() -> Mapping[str, str]:
    """How a reader would say the claims of the fit."""
    about = references.default().in_vitro
    return about.words if about else {}


def _leave_out(out: Path | None, steps: int | None, seed: int, *, as_json: bool) -> None:
    """Every claim of the guide by the fit without it; the table that comes with Glueprint without steps."""
    if steps is None:
        table = in_vitro.left_out()
    else:
        with bars.told_bar("fits") as told:
            table = in_vitro.leave_each_out(steps=steps, seed=seed, progress=told)
    written = in_vitro.save_left_out(table, out, steps, seed) if out is not None and steps else ()
    if as_json:
        print_json(table.to_dicts())
        return
    rows = [
        (c["claim_id"], c["unit"], f"{c['published']:.4g}", "prior only", "", "", "")
        if c["prior_only"]
        else (c["claim_id"], c["unit"], f"{c['published']:.4g}", f"{c['predicted']:.4g}",
              between(c["low"], c["high"]), f"{c['log_score']:.2f}", c["status"])
        for c in table.iter_rows(named=True)
    ]  # fmt: skip
    print_table(
        "Claims as the fit without each predicts them",
        ("claim", "unit", "published", "predicted", "95 %", "log score", "fit"),
        rows,
    )
    for path in written:
        progress_console.print(f"wrote {path}")


def _fit(steps: int, seed: int, without: Sequence[str] = ()) -> InVitroPosterior:
    columns = (TextColumn("fitting"), BarColumn(), TimeRemainingColumn())
    with bars.bar(*columns) as bar:
        task = bar.add_task("fit", total=None)
        return in_vitro.fit(
            steps=steps,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            without=without,
        )


def _print(found: InVitroPosterior) -> None:
    rows = [
        (p["name"], p["unit"], p["prior"], f"{p['median']:.4g}", between(p["low_95"], p["high_95"]),
         f"{p['contraction']:.2f}", p["verdict"])
        for p in found.parameters.iter_rows(named=True)
    ]  # fmt: skip
    names = ("parameter", "unit", "prior", "median", "95 %", "contraction", "verdict")
    print_table("Posterior", names, rows)
    beside = [
        (c["claim_id"], c["quantity"], c["unit"], f"{c['published']:.4g}", f"{c['median']:.4g}",
         between(c["low"], c["high"]), "yes" if c["met"] else "no",
         f"{c['typical']:.4g}", "yes" if c["typical_met"] else "no", c["label"], c["note"])
        for c in found.comparison().iter_rows(named=True)
    ]  # fmt: skip
    print_table(
        "Claims beside the posterior predictive",
        ("claim", "quantity", "unit", "published", "this assay", "95 %", "met", "typical assay", "met",
         "label", "note"),
        beside,
    )  # fmt: skip
    pairs = [(one, other, f"{r:.2f}") for one, other, r in found.correlations(least=0.5).iter_rows()]
    print_table("Tied together", ("parameter", "parameter", "correlation"), pairs)
    middle, low, high = found.another_assay()
    worst, fewest = (np.array(found.diagnostics[name]) for name in ("r_hat", "effective_draws"))
    checks = [
        ("one more binding assay", f"{middle:.3g} nM, {between(low, high)}"),
        ("status", found.status if not found.reason else f"{found.status}: {found.reason}"),
        ("largest split R-hat", f"{worst.max():.3f}"),
        ("fewest effective draws", f"{fewest.min():.0f}"),
        ("moves accepted", f"{found.accepted:.0%}"),
    ]
    print_table("Sampler", ("", ""), checks)


def _print_claims(as_json: bool) -> None:
    table = in_vitro.uses(evidence.load())
    if as_json:
        print_json(table.to_dicts())
        return
    rows = table.select("claim_id", "compound", "quantity", "value", "unit", "use", "why").iter_rows()
    print_table(
        "What became of every in-vitro claim",
        ("claim", "compound", "quantity", "value", "unit", "use", "why"),
        rows,
    )


def _plain(found: InVitroPosterior) -> dict[str, Any]:
    middle, low, high = found.another_assay()
    return {
        "status": found.status,
        "reason": found.reason,
        "settings": dict(found.settings),
        "accepted": found.accepted,
        "evaluations": found.evaluations,
        "digest": found.digest,
        "parameters": found.parameters.to_dicts(),
        "claims": found.comparison().to_dicts(),
        "correlations": found.correlations().to_dicts(),
        "another_assay_nm": {"median": middle, "low": low, "high": high},
        "diagnostics": found.diagnostics.to_dicts(),
    }
