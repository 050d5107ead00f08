"""Diagrams: the pathway as an SBGN process description held to its models, and the assays' work flows."""

from glueprint.report.diagrams.files import caption, names, save, svg, title
from glueprint.report.diagrams.scenes import Scene, scene

__all__ = ["Scene", "caption", "names", "save", "scene", "svg", "title"]
