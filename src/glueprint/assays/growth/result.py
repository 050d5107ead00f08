"""What an analysis of growth gives back: tables, potencies and findings, all frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from glueprint.assays.findings import Finding, findings_table
from glueprint.assays.growth.settings import Settings
from glueprint.curves import Potency

__all__ = ["CURVES", "FITTED", "GROWTH_RATE", "POTENCIES", "WELLS", "Named", "Result"]

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


@dataclass(frozen=True)
class Result:
    """All that an analysis found.

    tables: wells, curves, growth_rate, potencies, fitted, suspects, excluded and findings, see
    docs/growth.md.
    named: potencies with what they belong to, pooled ones first.   findings: in the order met.
    """

    settings: Settings
    tables: Mapping[str, pl.DataFrame]
    named: tuple[Named, ...]
    findings: tuple[Finding, ...]

    @property
    def potencies(self) -> tuple[Potency, ...]:
        """All potencies in nM, pooled ones first."""
        return tuple(one.potency for one in self.named if one.unit == "nM")

    @property
    def refused(self) -> bool:
        """Whether something asked for was not computed."""
        return any(finding.severity == "refusal" for finding in self.findings)

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

    def as_dict(self) -> dict[str, Any]:
        """Everything by name, for `--json`."""
        return {
            "settings": asdict(self.settings),
            "tables": {name: table.to_dicts() for name, table in self.tables.items() if name != "findings"},
            "findings": findings_table(self.findings).to_dicts(),
        }
