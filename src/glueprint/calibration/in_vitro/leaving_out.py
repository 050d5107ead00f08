"""Every number of the guide's assays as the fit predicts it that has not read it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

from glueprint import evidence
from glueprint.calibration.in_vitro.claims import GUIDE_TABLES, decided
from glueprint.calibration.in_vitro.fitting import STEPS, fit
from glueprint.calibration.in_vitro.potencies import PARTS
from glueprint.calibration.in_vitro.predictions import in_unit, repeated, summary
from glueprint.calibration.in_vitro.stored import digest
from glueprint.calibration.stored import Form
from glueprint.evidence import Claim

__all__ = ["LEFT_OUT", "guide_claims", "leave_each_out", "left_out", "save_left_out"]

Told = Callable[[str, int, int], None]
TABLE = "in_vitro_left_out"
LEFT_OUT = pl.Schema(
    {
        "claim_id": pl.String(), "unit": pl.String(), "published": pl.Float64(), "predicted": pl.Float64(),
        "low": pl.Float64(), "high": pl.Float64(), "log_score": pl.Float64(), "prior_only": pl.Boolean(),
        "status": pl.String(),
    }
)  # fmt: skip
FORM = Form(
    kind="in-vitro claims, each left out",
    about=f"{TABLE}.toml",
    code="GP-K005",
    made_by="`glueprint calibrate in-vitro --leave-out --out`",
)


def guide_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims of the guide's tables that the fit reads."""
    fitted = decided("likelihood")
    return tuple(c for c in claims if c.id in fitted and c.guide.split("|")[0] in GUIDE_TABLES)


def leave_each_out(*, steps: int = STEPS, seed: int = 1, progress: Told | None = None) -> pl.DataFrame:
    """A fit without each claim of `guide_claims` that others tell of, too, and what it predicts of the claim.

    steps, seed: as of `fit`.   progress: told (claim, done, all) after each step of a fit.
    Returns a row per claim: published, predicted, low and high in `unit`, the median and 95 % interval of the
    number that the assay would print, with its error; log_score, the log of a normal density at the published
    one, on the logarithm; status of the fit. Where a claim alone tells of a cell's capacity, prior_only, and
    no fit: what is left is the prior of the capacity.
    Raises as `fit`.
    """
    known = evidence.load()
    alone = {part.claim_id for part in PARTS}
    rows: list[tuple[object, ...]] = []
    for claim in guide_claims(known):
        if claim.id in alone:
            rows.append((claim.id, *in_unit(claim), None, None, None, None, True, ""))
            continue
        told = _told(progress, claim.id)
        found = fit(known, steps=steps, seed=seed, progress=told, without=(claim.id,))
        unit, published = in_unit(claim)
        again = repeated(found.draws, claim)
        middle, low, high = summary(again)
        score = _log_density(math.log(published), np.log(again))
        rows.append((claim.id, unit, published, middle, low, high, score, False, found.status))
    return pl.DataFrame(rows, schema=LEFT_OUT, orient="row")


def save_left_out(table: pl.DataFrame, folder: Path, steps: int, seed: int) -> tuple[Path, ...]:
    """Write what `leave_each_out` found; returns the paths.   Raises as `save` of a posterior."""
    return FORM.save(folder, {TABLE: table}, {"digest": digest()}, {"steps": steps, "seed": seed})


@lru_cache(maxsize=1)
def left_out() -> pl.DataFrame:
    """What comes with Glueprint, of schema LEFT_OUT; empty if claims or priors have changed since."""
    about, tables = FORM.load(Path(str(files("glueprint.calibration") / "data")), (TABLE,))
    return tables[TABLE] if about["digest"] == digest() else pl.DataFrame(schema=LEFT_OUT)


def _told(progress: Told | None, claim_id: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(claim_id, done, total)


def _log_density(at: float, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    return -0.5 * ((at - mean) / sd) ** 2 - math.log(sd * math.sqrt(2.0 * math.pi))
