"""How a design behaves over doses and schedules of its first arm, each at several sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glueprint.runs.progress import silent
from glueprint.trials.operating import Operating, OperatingSettings, operating
from glueprint.trials.protocol import Protocol, Variant, apply, compound_of, lone
from glueprint.trials.sweep import label_of_variant

__all__ = ["OperatingGrid", "operating_grid"]

Progress = Callable[[float], None]


@dataclass(frozen=True)
class OperatingGrid:
    """How variants of a design behave.

    found: of each variant, by its words, in the order asked for.   labels: how the numbers of each are to be
    read.
    """

    found: dict[str, Operating]
    labels: dict[str, str]

    @property
    def table(self) -> pl.DataFrame:
        """The tables of all variants, a row for each, size and truth."""
        return pl.concat(self._named(name, one.table) for name, one in self.found.items())

    @property
    def by_pool(self) -> pl.DataFrame:
        """The same of each pool."""
        return pl.concat(self._named(name, one.by_pool) for name, one in self.found.items())

    def _named(self, name: str, table: pl.DataFrame) -> pl.DataFrame:
        named = table.with_columns(variant=pl.lit(name), label=pl.lit(self.labels[name]))
        return named.select("variant", pl.exclude("variant"))


def operating_grid(
    protocol: Protocol,
    variants: Sequence[Variant],
    sizes: Sequence[int],
    settings: OperatingSettings | None = None,
    *,
    compound: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> OperatingGrid:
    """Simulate variants of the first arm of a design, each at several sizes.

    variants: such as those of `grid`; the other arms stay as written.   compound: whose dose, days and rules
    vary; the arm's glue if None.   All else as in `operating`: what a variant has computed is kept in the
    folder under its content, so that a grid that was stopped, or has grown, goes on.
    Returns OperatingGrid; pools of the same number hold the same patients in all variants.
    Raises as `operating`, and InputError GP-T071 to GP-T076 for variants that cannot be.
    """
    how, report = settings or OperatingSettings(), progress or silent
    designs = {str(one): _design(protocol, one, compound) for one in variants}
    found, labels = {}, {}
    for place, (name, design) in enumerate(designs.items()):

        def told(share: float, before: int = place) -> None:
            report((before + share) / len(designs))

        found[name] = operating(design, sizes, how, folder=folder, progress=told)
        label = found[name].label
        labels[name] = label if design == protocol else label_of_variant(design, label, how.draws)
    return OperatingGrid(found, labels)


def _design(protocol: Protocol, variant: Variant, compound: str | None) -> Protocol:
    """The protocol with the variant in its first arm."""
    first, *others = protocol.arms
    changed = apply(lone(protocol, first), compound_of(first, compound), variant)
    what = {"arms": (changed.arms[0], *others), "supportive_care": changed.supportive_care}
    return protocol.model_copy(update={**what, "case_mix": changed.case_mix})
