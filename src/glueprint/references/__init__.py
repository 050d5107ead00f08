"""References: compounds whose published trials and assays others are held against, each as data.

A reference says which published number is which number of a virtual trial, what its trials and arms are
called, which claims its assays show, and what a report must add about it. The rooms above read it, and know
no drug by name.
"""

from __future__ import annotations

from glueprint.references.reading import available, default, load, of_compound
from glueprint.references.reference import Assay, Cell, Comparator, InVitro, Reference, Sentences, Table

__all__ = [
    "Assay",
    "Cell",
    "Comparator",
    "InVitro",
    "Reference",
    "Sentences",
    "Table",
    "available",
    "default",
    "load",
    "of_compound",
]
