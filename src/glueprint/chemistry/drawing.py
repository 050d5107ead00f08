"""Structures as SVG on a common scaffold: the glutarimide on the right, its ring partner on the left."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from glueprint.chemistry.structures import Structure, molecule
from glueprint.errors import EnvironmentProblemError

__all__ = ["draw", "save"]

# Largest first: an isoindoline on a glutarimide (thalidomide family), a glutarimide, a phthaloyl.
SCAFFOLDS = (
    "C1CC(=O)NC(=O)C1N1Cc2ccccc2C1",
    "C1CC(=O)NC(=O)C1N",
    "O=C1OC(=O)c2ccccc12",
)


def draw(structure: Structure, *, width_px: int = 320, height_px: int = 240) -> str:
    """The structure as an SVG image, laid on the family's common scaffold where it has it.

    width_px, height_px: size of the image.   Returns SVG text with a transparent background.
    """
    drawn = molecule(structure.smiles)
    _lay(drawn)
    canvas = rdMolDraw2D.MolDraw2DSVG(width_px, height_px)
    options: Any = canvas.drawOptions()
    options.clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, drawn)
    canvas.FinishDrawing()
    return str(canvas.GetDrawingText())


def save(structure: Structure, path: str | Path) -> None:
    """Write the drawing to an SVG file.

    Raises EnvironmentProblemError GP-H008 if it cannot be written.
    """
    try:
        Path(path).write_text(draw(structure), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-H008",
            f"cannot write the file: {error.strerror or error}",
            where=str(path),
            next_step="choose a folder that exists and that you may write to",
        ) from error


def _lay(drawn: Any) -> None:
    for scaffold in _scaffolds():
        if drawn.HasSubstructMatch(scaffold):
            rdDepictor.GenerateDepictionMatching2DStructure(drawn, scaffold)
            return
    rdDepictor.Compute2DCoords(drawn)


@lru_cache(maxsize=1)
def _scaffolds() -> tuple[Any, ...]:
    laid = []
    for smarts in SCAFFOLDS:
        scaffold = Chem.MolFromSmarts(smarts)
        scaffold.UpdatePropertyCache(strict=False)
        rdDepictor.Compute2DCoords(scaffold)
        _turn(scaffold)
        laid.append(scaffold)
    return tuple(laid)


def _turn(scaffold: Any) -> None:
    """Mirror the scaffold if needed, so that its first atoms (the glutarimide) lie on the right."""
    conformer = scaffold.GetConformer()
    points = conformer.GetPositions()
    if points[0][0] < points[-1][0]:
        for atom, (x, y, z) in enumerate(points):
            conformer.SetAtomPosition(atom, (-x, y, z))
