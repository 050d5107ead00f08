"""How well the binder check does: its verdicts beside known answers, and the table of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from scipy.stats import binomtest

from glueprint.chemistry import pharmacophores, structures
from glueprint.chemistry.binder import Verdict, check_binder

__all__ = ["Confusion", "Known", "confusion", "known", "without_own_class"]

Answer = Literal["binds", "weakly", "does not"]
Basis = Literal["measured", "complex", "listed", "control", "elsewhere", "pocket"]


@dataclass(frozen=True)
class Known:
    """A compound with a known answer, how it is known, and what the check says.

    checked: what structure and origin were compared with; "" if they are cited and were not seen confirmed.
    """

    name: str
    smiles: str
    answer: Answer
    basis: Basis
    source: str
    pharmacophore: str
    checked: str
    verdict: Verdict
    verdict_pharmacophore: str


@dataclass(frozen=True)
class Confusion:
    """Counts by (answer, verdict), and what follows from "likely" read as "binds".

    precision: of those called likely, the share that binds, weakly or well.
    recall: of those that bind well, the share called likely.   Both with their 95 % limits (Clopper-Pearson).
    """

    counts: tuple[tuple[Answer, Verdict, int], ...]
    precision: float
    precision_limits: tuple[float, float]
    recall: float
    recall_limits: tuple[float, float]

    def count(self, answer: Answer, verdict: Verdict) -> int:
        """The number of compounds with an answer that got a verdict."""
        return next((n for a, v, n in self.counts if (a, v) == (answer, verdict)), 0)


@lru_cache(maxsize=1)
def known() -> tuple[Known, ...]:
    """All compounds of `data/cereblon_binders.toml`, each with the verdict of the check as it is now."""
    return _judged(without_own=False)


@lru_cache(maxsize=1)
def without_own_class() -> tuple[Known, ...]:
    """The same compounds, each judged as if its own class were not known yet.

    The rules were written with the answers at hand; this is how they do on a class that they have not seen.
    """
    return _judged(without_own=True)


def _judged(*, without_own: bool) -> tuple[Known, ...]:
    text = (files("glueprint.chemistry") / "data" / "cereblon_binders.toml").read_text(encoding="utf-8")
    found = []
    for row in tomllib.loads(text)["compound"]:
        own = row.get("class") if without_own else None
        classes = tuple(one for one in pharmacophores.available() if one.name != own)
        check = check_binder(structures.from_smiles(row["smiles"], name=row["name"]), classes)
        found.append(
            Known(
                row["name"],
                row["smiles"],
                row["answer"],
                row["basis"],
                row["source"],
                row.get("class", ""),
                row.get("checked", ""),
                check.verdict,
                check.pharmacophore,
            )
        )
    return tuple(found)


def confusion(compounds: Iterable[Known] | None = None) -> Confusion:
    """The confusion table of some compounds (None: all that are known).

    Returns counts, precision and recall with 95 % limits; NaN where nothing was called or nothing binds.
    Source: Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404, for the limits.
    """
    rows = known() if compounds is None else tuple(compounds)
    tallies: dict[tuple[Answer, Verdict], int] = {}
    for row in rows:
        tallies[row.answer, row.verdict] = tallies.get((row.answer, row.verdict), 0) + 1
    likely = [row for row in rows if row.verdict == "likely"]
    binders = [row for row in rows if row.answer == "binds"]
    right = sum(row.answer != "does not" for row in likely)
    caught = sum(row.verdict == "likely" for row in binders)
    return Confusion(
        tuple((answer, verdict, n) for (answer, verdict), n in sorted(tallies.items())),
        right / len(likely) if likely else float("nan"),
        _limits(right, len(likely)),
        caught / len(binders) if binders else float("nan"),
        _limits(caught, len(binders)),
    )


def _limits(hits: int, total: int) -> tuple[float, float]:
    if not total:
        return float("nan"), float("nan")
    found = binomtest(hits, total).proportion_ci()
    return float(found.low), float(found.high)
