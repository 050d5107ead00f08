"""What an ELISA analysis gives back: tables, potencies, quality and findings, all frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import polars as pl

from glueprint.assays.elisa.settings import Settings
from glueprint.assays.findings import Finding, findings_table
from glueprint.curves import Potency

__all__ = ["QUALITY", "Named", "Result", "frozen_tables"]

QUALITY = pl.Schema(
    {"name": pl.String(), "where": pl.String(), "value": pl.Float64(), "unit": pl.String(),
     "limit": pl.String(),
     "verdict": pl.String()}
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """A potency with the compound and the donor that it belongs to; donor "" is the pool of all donors."""

    sample: str
    donor: str
    potency: Potency

    def as_dict(self) -> dict[str, Any]:
        """Names and fields of the potency, flat."""
        return {"sample": self.sample, "donor": self.donor} | self.potency.as_dict()


@dataclass(frozen=True)
class Result:
    """All that an analysis found.

    signal: in words.   unit: of all concentrations.   tables: by name, see docs/elisa.md.
    named: potencies with compound and donor; potencies: the same without names, pooled ones first.
    quality: name, where, value, unit, limit, verdict ("pass", "fail" or "").   findings: in the order met.
    """

    settings: Settings
    signal: str
    unit: str
    tables: Mapping[str, pl.DataFrame]
    named: tuple[Named, ...]
    quality: pl.DataFrame
    findings: tuple[Finding, ...]

    @property
    def potencies(self) -> tuple[Potency, ...]:
        """All potencies, pooled ones first."""
        return tuple(one.potency for one in sorted(self.named, key=lambda one: one.donor != ""))

    @property
    def refused(self) -> bool:
        """Whether something asked for was not computed."""
        return any(finding.severity == "refusal" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Everything by name, for `--json`."""
        return {
            "settings": asdict(self.settings),
            "signal": self.signal,
            "unit": self.unit,
            "tables": {name: table.to_dicts() for name, table in self.tables.items()},
            "potencies": [one.as_dict() for one in self.named],
            "quality": self.quality.to_dicts(),
            "findings": findings_table(self.findings).to_dicts(),
        }


def frozen_tables(
    rows: Mapping[str, tuple[pl.Schema, Iterable[Mapping[str, Any]]]],
) -> Mapping[str, pl.DataFrame]:
    """Tables from their schemas and rows."""
    return MappingProxyType(
        {name: pl.DataFrame(list(records), schema=schema) for name, (schema, records) in rows.items()}
    )
