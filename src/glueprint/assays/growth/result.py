"""What an analysis of growth gives back: tables, potencies and findings, all frozen."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from glueprint.assays.contract import AssayResult, with_common
from glueprint.curves import Potency

__all__ = ["Named", "Result"]

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
_CULTURE = {"line": TEXT, "compound": TEXT, "experiment": TEXT, "time_h": NUMBER}
WELLS = pl.Schema({**_CULTURE, "well": TEXT, "dose": NUMBER, "unit": TEXT, "viability": NUMBER, "gr": NUMBER})
CURVES = pl.Schema(
    {
        **_CULTURE,
        "doubling_time_h": NUMBER,
        "divisions": NUMBER,
        "wells": COUNT,
        "doses": COUNT,
        "control_wells": COUNT,
        "top": NUMBER,
        "bottom": NUMBER,
        "slope": NUMBER,
        "emax_percent": NUMBER,
        "highest_dose": NUMBER,
        "unit": TEXT,
        "effect_p": NUMBER,
        "status": TEXT,
        "reason": TEXT,
    }
)
GROWTH_RATE = pl.Schema(
    {
        **_CULTURE,
        "divisions": NUMBER,
        "divisions_from": TEXT,
        "gr_max": NUMBER,
        "gr_inf": NUMBER,
        "gr_slope": NUMBER,
        "gr_aoc": NUMBER,
        "effect_p": NUMBER,
        "status": TEXT,
    }
)
POTENCIES = pl.Schema(
    {
        **_CULTURE,
        "definition": TEXT,
        "relation": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "unit": TEXT,
        "n": COUNT,
        "log10_se": NUMBER,
        "tau": NUMBER,
        "expected": NUMBER,
        "reasons": TEXT,
    }
)
FITTED = pl.Schema({**_CULTURE, "measure": TEXT, "dose": NUMBER, "fitted": NUMBER})
# What people are shown beside line, compound, experiment and time.
SHOWN = {
    "potencies": ("definition", "relation", "value", "low", "high", "unit", "n", "reasons"),
    "growth_rate": ("divisions", "divisions_from", "gr_max", "gr_inf", "gr_slope", "gr_aoc"),
    "curves": ("doubling_time_h", "divisions", "top", "bottom", "slope", "emax_percent", "status"),
}


@dataclass(frozen=True)
class Named:
    """A potency with what it belongs to; experiment "" is the pool of all experiments.

    definition: "relative IC50", "absolute IC50", "GI50", "GR50" or "GEC50".   unit: of its values: nM, or a
    unit that is not molar; then the fields named nm hold that unit, and the potency is not among
    `Result.potencies`.
    """

    line: str
    compound: str
    experiment: str
    definition: str
    unit: str
    potency: Potency


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(AssayResult):
    """All that an analysis of growth found; the tables are on docs/growth.md.

    named: potencies with what they belong to, pooled ones first; `potencies` are those in nM.
    """

    ASSAY = "growth"
    SCHEMAS = with_common(
        {
            "wells": WELLS,
            "curves": CURVES,
            "growth_rate": GROWTH_RATE,
            "potencies": POTENCIES,
            "fitted": FITTED,
        }
    )

    named: tuple[Named, ...]

    def of(
        self,
        line: str,
        compound: str,
        definition: str,
        experiment: str = "",
        *,
        time_h: float | None = None,
    ) -> Potency | None:
        """A potency by its labels; experiment "": the pool, or the only experiment; time_h None: the only
        time.
        None where there is none, or where there are several."""
        found = [
            one
            for one in self.named
            if (one.line, one.compound, one.definition) == (line, compound, definition)
            and time_h in (None, one.potency.time_h)
        ]
        exact = [one for one in found if one.experiment == experiment]
        chosen = exact or found
        return chosen[0].potency if len(chosen) == 1 else None

    def summary(self) -> dict[str, pl.DataFrame]:
        """Potencies, growth-rate inhibition and curves."""
        shown = [self.tables[name].select(*_CULTURE, *columns) for name, columns in SHOWN.items()]
        return dict(zip(("Potencies", "Growth-rate inhibition", "Curves"), shown, strict=True))
