"""Blots: a 16-bit image to band volumes, and to fractions remaining of the membrane's vehicle lanes."""

from __future__ import annotations

from glueprint.assays.blot import boxes, boxes_writing, image
from glueprint.assays.blot.analysis import Scan, analyse, read
from glueprint.assays.blot.boxes import Boxes
from glueprint.assays.blot.image import Image, from_array
from glueprint.assays.blot.result import Result
from glueprint.assays.blot.settings import Settings

__all__ = [
    "Boxes",
    "Image",
    "Result",
    "Scan",
    "Settings",
    "analyse",
    "boxes",
    "boxes_writing",
    "from_array",
    "image",
    "read",
]
