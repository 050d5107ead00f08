"""Every number of the guide's trials, calibrated and predicted without its trial, as rows of a table.

    python -m benchmarks.predictions [--structure burden] [--replicates 39] [--seed 5]

Calibrated: the median and 95 % interval of virtual trials with draws of the fit to both trials. Left out: the
same with the fit to the other trial alone, as it comes with Glueprint. docs/predictions.md holds the rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import polars as pl

from glueprint import evidence, references, trials
from glueprint.calibration import clinical
from glueprint.study import left_out
from glueprint.study.comparison import compare

FIRST_TABLE = 3  # those before it are about assays


def rows(structure: str, replicates: int, seed: int) -> Iterator[str]:
    """One row per number, in Markdown."""
    reference, posterior = references.default(), clinical.posterior(structure)
    names = tuple(reference.trials.values())
    runs = {
        name: trials.run(name, replicates, seed, draws=posterior.for_trial(name, count=replicates))
        for name in names
    }
    table = compare(evidence.load(), reference, runs, {}).filter(pl.col("guide_table") >= FIRST_TABLE)
    table = left_out.with_left_out(table, reference, left_out.predictions(structure, names))
    for row in table.iter_rows(named=True):
        cell = reference.cells.get(row["claim_id"])
        if cell is None or cell.column != "value":
            continue
        calibrated = _between(row["computed"], row["computed_low"], row["computed_high"])
        predicted = _between(row["left_out"], row["left_out_low"], row["left_out_high"])
        verdict, score = row["left_out_verdict"] or "", row["left_out_score"]
        parts = (
            f"{row['row']}, {cell.arm}", str(row["published"]), calibrated, predicted,
            _error(row["left_out"], row["published_value"], row["unit"] or ""), verdict,
            "" if score is None else f"{score:.2f}",
        )  # fmt: skip
        yield f"| {cell.trial} {' | '.join(parts)} |"


def _between(middle: float | None, low: float | None, high: float | None) -> str:
    if middle is None and low is None:
        return "not reached"
    words = ["not reached" if number is None else f"{number:.3g}" for number in (middle, low, high)]
    return f"{words[0]} ({words[1]} to {words[2]})"


def _error(predicted: float | None, published: float | None, unit: str) -> str:
    """Points of a rate, a factor of a time or ratio."""
    if predicted is None or published is None:
        return ""
    return f"{predicted - published:+.0f}" if unit == "%" else f"x {predicted / published:.2f}"


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--structure", default="burden")
    parser.add_argument("--replicates", type=int, default=39)
    parser.add_argument("--seed", type=int, default=5)
    chosen = parser.parse_args(arguments)
    for row in rows(chosen.structure, chosen.replicates, chosen.seed):
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
