"""Structures as SVG on a common scaffold: the glutarimide on the right, its ring partner on the left."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import vl_convert
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from glueprint.chemistry.structures import Structure, molecule
from glueprint.errors import EnvironmentProblemError, InputError

__all__ = ["draw", "laid", "save"]

# Largest first: an isoindoline on a glutarimide (thalidomide family), a glutarimide, a phthaloyl.
# The first has a substituent at C4, which then lies in one place in every drawing.
SCAFFOLDS = (
    "C1CC(=O)NC(=O)C1N1Cc2cccc([!#1])c2C1",
    "C1CC(=O)NC(=O)C1N1Cc2ccccc2C1",
    "C1CC(=O)NC(=O)C1[#7]",
    "O=C1OC(=O)c2ccccc12",
)


def draw(structure: Structure, *, width_px: int = 320, height_px: int = 240) -> str:
    """The structure as an SVG image, laid on the family's common scaffold where it has it.

    width_px, height_px: size of the image.   Returns SVG text with a transparent background.
    """
    drawn = laid(structure)
    canvas = rdMolDraw2D.MolDraw2DSVG(width_px, height_px)
    options: Any = canvas.drawOptions()
    options.clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, drawn)
    canvas.FinishDrawing()
    return str(canvas.GetDrawingText())


def save(image: Structure | str, path: str | Path) -> None:
    """Write a structure's drawing, or an SVG image, to a file: SVG, or PNG if the path ends in .png.

    Raises InputError GP-H013 for another ending, EnvironmentProblemError GP-H008 if it cannot be written.
    """
    svg = image if isinstance(image, str) else draw(image)
    target = Path(path)
    if target.suffix.lower() not in (".svg", ".png"):
        raise InputError(
            "GP-H013",
            f'cannot draw into a file that ends in "{target.suffix}"',
            where=str(target),
            expected="a path that ends in .svg or .png",
            next_step="change the ending",
        )
    data = svg.encode() if target.suffix.lower() == ".svg" else vl_convert.svg_to_png(svg, scale=2)
    try:
        target.write_bytes(data)
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-H008",
            f"cannot write the file: {error.strerror or error}",
            where=str(path),
            next_step="choose a folder that exists and that you may write to",
        ) from error


def laid(structure: Structure) -> Any:
    """The molecule with 2D coordinates on the family's common scaffold, if it has it."""
    drawn = molecule(structure.smiles)
    for scaffold in _scaffolds():
        if drawn.HasSubstructMatch(scaffold):
            rdDepictor.GenerateDepictionMatching2DStructure(drawn, scaffold)
            return drawn
    rdDepictor.Compute2DCoords(drawn)
    return drawn


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
