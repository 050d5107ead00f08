"""Diagrams as the report's page holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from glueprint.report.diagrams import files, schema
from glueprint.trials import Protocol

__all__ = ["ASSAYS", "PATHWAY", "Shown", "schema_of", "shown"]

PATHWAY = ("myeloma", "immune")
ASSAYS = ("fp_competition", "tnf_elisa", "western_blot", "proliferation")


@dataclass(frozen=True)
class Shown:
    """A diagram ready for the template: SVG whose colours the page maps, and its words."""

    name: str
    drawing: Markup
    title: str
    caption: str


def shown(names: Iterable[str]) -> tuple[Shown, ...]:
    """The diagrams of these names. Raises as `files.svg`."""
    return tuple(
        Shown(name, Markup(files.svg(name)), files.title(name), files.caption(name)) for name in names
    )


def schema_of(protocol: Protocol, colours: Mapping[str, str]) -> Shown:
    """The schema of a trial; colours: arm -> colour, the same through the whole page."""
    return Shown(
        f"trial-{protocol.name}",
        Markup(schema.draw(protocol, colours)),
        f"Schema of the trial: {protocol.title}",
        files.schema_caption(protocol),
    )
