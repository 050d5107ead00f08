"""`glueprint trial compare`: score a predicted trial by what was observed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from glueprint.calibration import prediction, read_observed
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile
from glueprint.cli.trial_draws import between, heading
from glueprint.trials import kept

__all__ = ["command"]

ResultFolder = Annotated[Path, typer.Argument(help="Folder of `glueprint trial run --out`.")]
ObservedFile = Annotated[
    Path, typer.Argument(help="CSV with columns arm, endpoint, value; see docs/trials.md for the others.")
]


def command(
    result: ResultFolder, observed: ObservedFile, figure: FigureFile = None, as_json: Json = False
) -> None:
    """Score a run with a posterior by what was observed: inside, rank, log score, width."""
    given = kept.load(result)
    scores = prediction.compare(given.table("endpoints"), read_observed(observed), label=given.label)
    total = prediction.total(scores)
    if figure is not None and total["scored"]:
        # Drawing costs an import that a look at numbers need not pay.
        from glueprint.report import figures

        figures.save(figures.comparison_dots(_as_comparison(scores), 0), figure)
    if as_json:
        print_json({"trial": given.protocol.name, "label": given.label, "total": total,
                    "scores": scores.to_dicts()})  # fmt: skip
    else:
        _print(given, scores, total)
    if not total["scored"]:
        raise typer.Exit(1)


def _print(given: kept.Kept, scores: pl.DataFrame, total: dict[str, float]) -> None:
    rows = [
        (s["arm"], heading(s["endpoint"]), f"{s['observed']:.3g}",
         between(s["predicted"], s["low"], s["high"]) if s["replicates"] else "",
         {True: "yes", False: "no", None: ""}[s["inside"]], _number(s["rank"], ".2f"),
         _number(s["log_score"], ".2f"), _number(s["width_ratio"], ".1f"), s["note"])
        for s in scores.iter_rows(named=True)
    ]  # fmt: skip
    print_table(
        f"{given.protocol.name}, seed {given.seed}: observed beside {given.label}",
        ("arm", "endpoint", "observed", "median (95 %)", "inside", "rank", "log score", "width ratio",
         "note"),
        rows,
    )  # fmt: skip
    console.print(
        f"{total['inside']:.0f} of {total['scored']:.0f} inside; "
        f"mean log score {total['mean_log_score']:.2f}; "
        f"median width ratio {total['median_width_ratio']:.1f}; "
        f"{total['rows'] - total['scored']:.0f} of {total['rows']:.0f} rows could not be scored"
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _as_comparison(scores: pl.DataFrame) -> pl.DataFrame:
    """The scores as the table that the figure of published beside computed numbers reads."""

    def row(score: dict[str, Any]) -> dict[str, Any]:
        name = heading(score["endpoint"]).removesuffix(f", {score['unit']}")
        return {
            "guide_table": 0, "row": f"{name}, {score['arm']}", "column": "", "claim_id": "",
            "published": f"{score['observed']:g}", "published_value": score["observed"],
            "published_low": None, "published_high": None, "unit": score["unit"],
            "computed": score["predicted"], "computed_low": score["low"], "computed_high": score["high"],
            "label": score["label"], "how": "", "note": score["note"],
        }  # fmt: skip

    return pl.DataFrame([row(score) for score in scores.filter(pl.col("replicates") > 0).to_dicts()])
