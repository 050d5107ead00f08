"""From the plate: simulated raw files, and what the analyses recover of the truth behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report import rows as reading
from glueprint.report import tables as contract
from glueprint.report.drawn import Drawn, draw
from glueprint.report.estimates import number
from glueprint.report.figures.binding import binding_curves
from glueprint.report.figures.degradation import degradation_curves
from glueprint.report.figures.elisa import elisa_plate
from glueprint.report.figures.growth import growth_curves
from glueprint.report.guide import Strip, strip_of

__all__ = ["PlatesSection", "Recovered", "Twin", "plates_section"]

Tables = Mapping[str, pl.DataFrame]
TWINS = ("protocol", "title", "simulated", "files", "commands")
ESTIMATES = (
    "protocol", "quantity", "of", "experiments", "unit", "truth", "relation", "value", "low", "high", "holds"
)  # fmt: skip
FOLDER = "plates"


@dataclass(frozen=True)
class Recovered:
    """One number: the truth put in, the estimate with its interval, and whether that holds the truth."""

    quantity: str
    of: str
    experiments: int
    truth: str
    value: str
    interval: str
    holds: bool
    strip: Strip | None


@dataclass(frozen=True)
class Twin:
    """One protocol: its raw files, the commands that analyse them, the numbers, and the figure."""

    protocol: str
    title: str
    folder: str
    files: tuple[str, ...]
    commands: tuple[str, ...]
    rows: tuple[Recovered, ...]
    drawn: Drawn


@dataclass(frozen=True)
class PlatesSection:
    """All that the section shows; `held` of `total` intervals hold the truth."""

    twins: tuple[Twin, ...]
    held: int
    total: int


def plates_section(tables: Tables) -> PlatesSection | None:
    """The section for the simulated plates of a study; None if it has none.

    tables: `plates` and `estimates` as docs/report.md lists them, and those of each figure as
    "PROTOCOL_TABLE".
    Raises InputError GP-P001 for a missing column.
    """
    if not tables or tables["plates"].is_empty():
        return None
    contract.require(tables["plates"], TWINS, "plates")
    contract.require(tables["estimates"], ESTIMATES, "plates_estimates")
    every = tables["estimates"].to_dicts()
    twins = tuple(_twin(row, every, tables) for row in tables["plates"].to_dicts())
    return PlatesSection(twins, sum(bool(row["holds"]) for row in every), len(every))


def _twin(about: Mapping[str, Any], every: Sequence[Mapping[str, Any]], tables: Tables) -> Twin:
    protocol = str(about["protocol"])
    rows = tuple(_recovered(row) for row in every if row["protocol"] == protocol)
    prefix = f"{protocol}_"
    own = {name.removeprefix(prefix): table for name, table in tables.items() if name.startswith(prefix)}
    caption, chart = FIGURES[protocol]
    # Nothing to point at: the figure is the same on screen and in print, and is built once.
    figure = chart(own)
    words = "; ".join(f"{row.quantity} of {row.of}: truth {row.truth}, found {row.value}" for row in rows)
    return Twin(
        protocol=protocol,
        title=str(about["title"]).partition(":")[0],
        folder=f"{FOLDER}/{protocol}",
        files=tuple(about["files"]),
        commands=tuple(about["commands"]),
        rows=rows,
        drawn=draw(
            f"plates-{protocol}",
            lambda _: figure,
            description=f"Simulated, not measured. {words}.",
            caption=f"Simulated, not measured. {caption}",
        ),
    )


def _recovered(row: Mapping[str, Any]) -> Recovered:
    unit = reading.written(str(row["unit"])).replace("fraction", "")
    relation = "" if row["relation"] == "=" else f"{row['relation']} "
    low, high = row["low"], row["high"]
    bounds = "–".join("open" if bound is None else number(bound) for bound in (low, high))
    return Recovered(
        quantity=str(row["quantity"]),
        of=str(row["of"]),
        experiments=int(row["experiments"]),
        truth=f"{number(row['truth'], 4)}\u00a0{unit}".strip(),
        value=f"{relation}{number(row['value'])}\u00a0{unit}".strip(),
        interval="" if low is None and high is None else bounds,
        holds=bool(row["holds"]),
        strip=strip_of(row["truth"], row["value"], low, high),
    )


def _elisa(tables: Tables) -> Any:
    """The standard curve of the first plate, and the inhibition of all donors."""
    first = tables["precision"]["plate"][:1].to_list()
    one = {
        name: table.filter(pl.col("plate").is_in(first)) if "plate" in table.columns else table
        for name, table in tables.items()
        if name not in ("inhibition", "donors")
    }
    return elisa_plate({**tables, **one}, signal="OD 450 − 650")


# What each figure shows, and what draws it.
FIGURES: Mapping[str, tuple[str, Callable[[Tables], Any]]] = {
    "fp": (
        "Anisotropy of the tracer against the dose of a compound; line and band: the exact equilibrium; "
        "shaded: the interval of the Ki; dashed: the IC50, which is another number. Below: total light.",
        binding_curves,
    ),
    "elisa": (
        "Standard curve of the first plate with its precision, and inhibition of TNF-α in every donor.",
        _elisa,
    ),
    "blot": (
        "Fraction of vehicle left, as integrated from the bands of the images, over dose and over time, "
        "and DC50 against time.",
        degradation_curves,
    ),
    "growth": (
        "Viability and growth rate inhibition of two lines; diamonds: IC50 and GR50 with their intervals.",
        growth_curves,
    ),
}
