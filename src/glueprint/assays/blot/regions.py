"""Parts of a picture that are read on their own: one cropped membrane, or several gels of one scan."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from glueprint.assays.blot.boxes import Boxes
from glueprint.assays.blot.decoding import LEAST_SIDE
from glueprint.assays.blot.image import Image
from glueprint.assays.findings import Finding
from glueprint.errors import InputError

__all__ = ["Region", "parse", "planned"]

CROP = re.compile(r"(?:(?P<name>[^=]*)=)?\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*")


@dataclass(frozen=True)
class Region:
    """Rows `top` to `bottom` and columns `left` to `right` of a stored picture, ends excluded; `name` is the
    membrane's, "" where none was given."""

    name: str
    top: int
    bottom: int
    left: int
    right: int

    @property
    def text(self) -> str:
        """As it is written in a box file."""
        return f"{self.top}:{self.bottom},{self.left}:{self.right}"

    def of(self, image: Image) -> Image:
        """This part of an image.

        Raises InputError GP-A232 if it is not on the picture, or too small for one.
        """
        rows, columns = image.counts.shape
        sound = self.bottom <= rows and self.right <= columns
        if not sound or min(self.bottom - self.top, self.right - self.left) < LEAST_SIDE:
            raise _unusable(
                self.text,
                f"{image.source}, crop",
                f"rows within 0:{rows}, columns within 0:{columns}, {LEAST_SIDE} pixels or more each way",
            )
        part = image.counts[self.top : self.bottom, self.left : self.right]
        return replace(image, counts=np.ascontiguousarray(part))


def parse(text: str, where: str) -> Region:
    """The region "top:bottom,left:right", or "name=top:bottom,left:right", in pixels from the upper left.

    where: the setting or field, for messages.
    Raises InputError GP-A232.
    """
    found = CROP.fullmatch(text)
    numbers = [int(number[:9]) for number in found.groups()[1:]] if found else []
    if not found or not (numbers[0] < numbers[1] and numbers[2] < numbers[3]):
        raise _unusable(text[:80], where, "top:bottom,left:right or name=top:bottom,left:right, whole pixels")
    return Region((found["name"] or "").strip(), *numbers)


def planned(
    crops: tuple[str, ...], given: tuple[Boxes, ...], source: str
) -> tuple[list[tuple[Region | None, Boxes | None]], list[Finding]]:
    """The parts to read, each with its boxes, and a note of what is read; one part without a region: all.

    crops: as `parse` takes them.   given: boxes of the parts, in the order of the crops; their own crop
    stands where none is asked for.   source: of the picture.
    Raises InputError GP-A232 for crops that contradict the boxes, GP-A138 for one membrane twice.
    """
    regions = [parse(text, f"{source}, crop") for text in crops]
    own = [parse(one.file.crop, f"{one.source}, crop") if one.file.crop else None for one in given]
    if not given:
        parts: list[tuple[Region | None, Boxes | None]] = [(region, None) for region in regions]
    elif not regions:
        parts = list(zip(own, given, strict=True))
    else:
        if len(regions) != len(given) or any(
            mine and mine.text != asked.text for mine, asked in zip(own, regions, strict=True)
        ):
            raise _unusable(
                " ".join(region.text for region in regions),
                f"{source}, crop",
                "the crop of every box file, in its order, or none: box files keep their own",
            )
        parts = list(zip(regions, given, strict=True))
    parts = parts or [(None, None)]
    names = [_name(part, nth) for nth, part in enumerate(parts, start=1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            "GP-A138",
            f'membrane "{twice}" twice',
            where=f"{source}, crop" if not given else f"{given[-1].source}, membrane",
            expected="a name of its own for every part of the picture",
            next_step="write --crop NAME=TOP:BOTTOM,LEFT:RIGHT, or another membrane in the box file",
        )
    named = [
        (region and replace(region, name=name), boxes)
        for (region, boxes), name in zip(parts, names, strict=True)
    ]
    said = ", ".join(f'membrane "{region.name}" {region.text}' for region, _ in named if region)
    note = Finding(
        "GP-A235", "note", f"read of the picture: {said} (rows, columns; the rest is not read)", source
    )
    return named, [note] if said else []


def _name(part: tuple[Region | None, Boxes | None], nth: int) -> str:
    region, boxes = part
    if boxes is not None:
        return boxes.file.membrane
    return (region.name if region else "") or str(nth)


def _unusable(what: str, where: str, expected: str) -> InputError:
    return InputError(
        "GP-A232",
        f'"{what}" is no part of the picture',
        where=where,
        expected=expected,
        next_step="see docs/blot.md, Parts of a picture; image viewers show rows and columns",
    )
