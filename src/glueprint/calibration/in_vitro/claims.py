"""What becomes of every in-vitro claim: fitted, in a prior, held out, or left out with the reason."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import polars as pl

from glueprint import references
from glueprint.calibration.in_vitro.likelihood import Datum
from glueprint.calibration.in_vitro.parameters import beliefs, errors
from glueprint.calibration.in_vitro.pooling import NM_PER_UNIT
from glueprint.calibration.in_vitro.potencies import ABOUT
from glueprint.errors import InputError
from glueprint.evidence import Claim

__all__ = ["data", "decided", "uses"]

# Rows about in-vitro work; those of the guide are named by the table of a claim.
PREFIXES = ("BIN-", "TER-", "DEG-", "ABU-", "DWN-", "DRV-", "IMM-")
GUIDE_TABLES = references.default().tables_about("assays")


def data(claims: Iterable[Claim]) -> dict[str, Datum]:
    """The claims of the likelihood as numbers, by id.

    Raises InputError GP-K004 where one of them is missing or has no value that can be used.
    """
    known = {claim.id: claim for claim in claims}
    found = {}
    for claim_id in decided("likelihood"):
        claim = known.get(claim_id)
        if claim is None or claim.value is None or claim.value <= 0:
            raise _unusable(claim_id, "is missing or has no value")
        found[claim_id] = _odds(claim) if claim_id == ABOUT.comparator.loss else _potency(claim)
    return found


def uses(claims: Iterable[Claim]) -> pl.DataFrame:
    """What became of every in-vitro claim.

    Returns columns claim_id, compound, quantity, value, unit, use ("likelihood", "prior", "held out", "same
    number", "left out"), why.
    """
    chosen = [claim for claim in claims if _in_vitro(claim)]
    twins = {c.same_as: c.id for c in chosen if c.same_as and c.id.startswith("G")}
    behind: dict[str, list[str]] = {}
    for belief in beliefs().values():
        for claim_id in belief.evidence:
            behind.setdefault(claim_id, []).append(belief.name)
    rows = []
    for claim in chosen:
        use, why = _use(claim, twins, behind)
        rows.append((claim.id, claim.compound, claim.quantity, claim.value, claim.unit, use, why))
    names = ("claim_id", "compound", "quantity", "value", "unit", "use", "why")
    return pl.DataFrame(rows, schema=names, orient="row")


def _use(claim: Claim, twins: Mapping[str, str], behind: Mapping[str, list[str]]) -> tuple[str, str]:
    for use in ("likelihood", "held out"):
        if claim.id in decided(use):
            return use, decided(use)[claim.id]
    if claim.id in twins:
        return "same number", f"as {twins[claim.id]}"
    if claim.id in behind:
        return "prior", f"of {', '.join(behind[claim.id])}"
    for reason in _file()["left_out"]["reasons"]:
        if claim.id in reason["ids"]:
            return "left out", str(reason["why"])
    if claim.value is None and claim.low is None and claim.high is None:
        return "left out", "no number"
    return "left out", "not decided"


def _in_vitro(claim: Claim) -> bool:
    return claim.id.startswith(PREFIXES) or claim.guide.split("|")[0] in GUIDE_TABLES


def _potency(claim: Claim) -> Datum:
    if claim.unit not in NM_PER_UNIT:
        raise _unusable(claim.id, f'has the unit "{claim.unit}"')
    assert claim.value is not None
    error = errors()["default_log10"]
    if claim.low and claim.high and claim.interval_kind == "plus-minus":
        error = (math.log10(claim.high) - math.log10(claim.low)) / 2
    return Datum(claim.id, math.log10(claim.value * NM_PER_UNIT[claim.unit]), error, "log10 nM")


def _odds(claim: Claim) -> Datum:
    """A loss in per cent as odds, which is rho x occupancy."""
    assert claim.value is not None
    return Datum(
        claim.id,
        math.log10(claim.value / (100.0 - claim.value)),
        errors()["loss_log10_odds"],
        "log10 odds",
    )


def _unusable(claim_id: str, what: str) -> InputError:
    return InputError(
        "GP-K004",
        f"the claim {claim_id} {what}",
        where="claims",
        expected=f"the claims {', '.join(decided('likelihood'))} with their values",
        next_step="take the evidence that comes with Glueprint, or add these claims to yours",
    )


def decided(use: str) -> Mapping[str, str]:
    """Ids of the claims in the "likelihood" or "held out", each with its reason, in the order of the file."""
    return dict(_file()[use.replace(" ", "_")]["ids"])


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    path = files("glueprint.calibration") / "data" / "in_vitro_claims.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
