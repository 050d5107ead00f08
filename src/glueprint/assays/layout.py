"""Layouts: what is in which well, as a TOML file that people write, or as the vendor's file says."""

from __future__ import annotations

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.plate import Plate
from glueprint.assays.wells import CONTENT, MEASURED, Layout, Wells

__all__ = ["Layout", "apply"]


def apply(plate: Plate, layout: Layout | None = None) -> Wells:
    """The plate's wells with their content, all channels alike; without a layout, the file's own is used.

    plate: as a reader gives it.   layout: as `read` gives it; it wins over the plate's own.
    Returns `Wells`; wells that the layout does not name keep role "" and are counted in a finding, as are
    wells of the layout that were not measured.
    Raises InputError GP-A042 if the layout names a plate that the file does not have.
    """
    findings = [*plate.findings]
    chosen = layout or plate.layout
    table = plate.table
    if chosen is None:
        findings.append(
            Finding(
                "GP-A044",
                "warning",
                "nothing says what is in the wells: no layout is given and the file has none",
                where=plate.source,
                next_step="write one with `glueprint assay layout --template`",
            )
        )
        content = pl.DataFrame(schema={"plate": pl.String, "well": pl.String, **CONTENT})
    else:
        content = chosen.table
        findings += chosen.findings
    return Wells(_joined(table, content), tuple(findings))


def _joined(table: pl.DataFrame, content: pl.DataFrame) -> pl.DataFrame:
    own = [name for name in table.columns if name not in MEASURED and name not in content.columns]
    left = table.select(*MEASURED, *own)
    everywhere = content.filter(pl.col("plate") == "").drop("plate")
    placed = content.filter(pl.col("plate") != "")
    parts = []
    for name in left["plate"].unique(maintain_order=True):
        here = placed.filter(pl.col("plate") == name).drop("plate")
        both = pl.concat([here, everywhere.filter(~pl.col("well").is_in(here["well"].to_list()))])
        parts.append(
            left.filter(pl.col("plate") == name).join(both, on="well", how="left", maintain_order="left")
        )
    joined = pl.concat(parts) if parts else left.join(everywhere, on="well", how="left")
    extras = [name for name in content.columns if name not in ("plate", "well")]
    texts = [pl.col(name).fill_null("") for name in extras if joined.schema[name] == pl.String]
    joined = joined.with_columns(*texts, pl.col("dilution").fill_null(1.0))
    others = [name for name in joined.columns if name not in (*MEASURED, *CONTENT)]
    return joined.select(*MEASURED, *CONTENT, *others)
