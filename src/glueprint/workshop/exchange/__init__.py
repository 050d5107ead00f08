"""Models and simulations in the formats of others: SBML, Antimony, SED-ML, COMBINE archives, PEtab."""

from __future__ import annotations

from glueprint.workshop.exchange.antimony_text import antimony
from glueprint.workshop.exchange.archive import FORMATS, Archive, Content, opened, packed
from glueprint.workshop.exchange.difference import difference
from glueprint.workshop.exchange.package import MODEL, Course, Imported, Packed, import_archive, pack
from glueprint.workshop.exchange.petab_folder import write_petab
from glueprint.workshop.exchange.sbml import Finding, Written, sbml

__all__ = [
    "FORMATS",
    "MODEL",
    "Archive",
    "Content",
    "Course",
    "Finding",
    "Imported",
    "Packed",
    "Written",
    "antimony",
    "difference",
    "import_archive",
    "opened",
    "pack",
    "packed",
    "sbml",
    "write_petab",
]
