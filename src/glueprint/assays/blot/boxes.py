"""Box files: TOML that says where lanes and bands are, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from glueprint import documents
from glueprint.assays.blot.finding_boxes import Found
from glueprint.documents import Codes, Document
from glueprint.errors import InputError, nearest

__all__ = [
    "KIND",
    "Band",
    "Box",
    "BoxFile",
    "Boxes",
    "Lane",
    "Role",
    "from_found",
    "from_tables",
    "parse",
    "read",
]

KIND = "glueprint-boxes"
CODES = Codes(
    "GP-A122",
    "GP-A122",
    "GP-A123",
    "GP-A124",
    "see docs/blot.md, or let `glueprint assay blot IMAGE --write-boxes boxes.toml` write one to begin with",
)
Role = Literal["target", "loading", "total protein", "ignore"]


class Lane(Document):
    """One `[[lane]]`: its columns, and what was loaded; `exclude` says why it is left out."""

    lane: int = Field(ge=1)
    left: int
    right: int
    sample: str = ""
    dose_nm: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    time_h: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    treatment: str = ""
    vehicle: bool = False
    load: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    experiment: str = ""
    exclude: str = ""


class Band(Document):
    """One `[[band]]`: a row of bands over all lanes, its name and what it is for."""

    name: str = Field(min_length=1)
    top: int
    bottom: int
    role: Role = "target"
    image: Literal["blot", "reference"] = "blot"


class Box(Document):
    """One `[[box]]`: where a band is in one lane, if not where its row is."""

    lane: int
    band: str
    top: int | None = None
    bottom: int | None = None
    left: int | None = None
    right: int | None = None


class BoxFile(Document):
    """The whole file; `crop` is the part of the stored picture that was read, "top:bottom,left:right"."""

    kind: Literal["glueprint-boxes"]
    version: Literal[1]
    image: str = ""
    crop: str = ""
    rotation_deg: float = Field(default=0.0, ge=-15.0, le=15.0, allow_inf_nan=False)
    membrane: str = "1"
    experiment: str = ""
    lane: tuple[Lane, ...] = Field(min_length=1, max_length=200)
    band: tuple[Band, ...] = Field(min_length=1, max_length=500)
    box: tuple[Box, ...] = Field(default=(), max_length=20000)


@dataclass(frozen=True)
class Boxes:
    """Boxes and annotation of one membrane.

    file: as written.   source: its name in messages, "" if found in the image.
    """

    file: BoxFile
    source: str = ""

    def place(self, lane: Lane, band: Band) -> tuple[int, int, int, int]:
        """Top, bottom, left, right of a band in a lane, ends excluded, in pixels of the straight picture."""
        own = next((box for box in self.file.box if (box.lane, box.band) == (lane.lane, band.name)), None)
        usual = (band.top, band.bottom, lane.left, lane.right)
        if own is None:
            return usual
        given = (own.top, own.bottom, own.left, own.right)
        return tuple(u if g is None else g for g, u in zip(given, usual, strict=True))  # type: ignore[return-value]

    def checked(self, shape: tuple[int, int]) -> Boxes:
        """Itself, if every box lies on a picture of `shape` (rows, columns) and none overlaps another.

        Raises InputError GP-A125 (off the picture, empty), GP-A126 (overlap).
        """
        for nth, lane in enumerate(self.file.lane):
            limits = (0, shape[0], lane.left, lane.right)
            _on_picture(limits, shape, self._where(f"lane[{nth}] (lane {lane.lane})"))
        for nth, band in enumerate(self.file.band):
            limits = (band.top, band.bottom, 0, shape[1])
            _on_picture(limits, shape, self._where(f'band[{nth}] "{band.name}"'))
        for nth, box in enumerate(self.file.box):
            where = self._where(f'box[{nth}] (lane {box.lane}, band "{box.band}")')
            lane = next(lane for lane in self.file.lane if lane.lane == box.lane)
            band = next(band for band in self.file.band if band.name == box.band)
            _on_picture(self.place(lane, band), shape, where)
        lanes = [((lane.left, lane.right), f"lane {lane.lane}") for lane in self.file.lane]
        _apart(lanes, self._where("lane"), "columns")
        for lane in self.file.lane:
            for image in ("blot", "reference"):
                rows = [
                    (self.place(lane, band)[:2], f'band "{band.name}"')
                    for band in self.file.band
                    # Total protein is the whole lane by its nature.
                    if band.image == image and band.role != "total protein"
                ]
                _apart(rows, self._where(f"lane {lane.lane}"), "rows")
        return self

    def _where(self, place: str) -> str:
        return f"{self.source or 'boxes'}, {place}"


def read(path: str | Path) -> Boxes:
    """The boxes in a TOML file.

    Raises InputError GP-A122 (unreadable, not TOML), GP-A123 (another kind), GP-A124 (a field), GP-A138
    (a name twice, or unknown).
    """
    return from_tables(documents.read(Path(path), CODES), str(path))


def parse(text: str, source: str) -> Boxes:
    """The boxes in the text of a TOML file; `source` is its name in messages; else as `read`."""
    return from_tables(documents.parse(text, CODES, where=source), source)


def from_tables(data: dict[str, Any], source: str) -> Boxes:
    """The boxes in the tables of a box file, "kind", "version", "lane", "band" and "box"; else as `read`."""
    file = documents.validate(BoxFile, data, CODES, where=source)
    _once((str(lane.lane) for lane in file.lane), f"{source}, lane", "lane number")
    _once((band.name for band in file.band), f"{source}, band", "band name")
    _once((f'{box.lane}, "{box.band}"' for box in file.box), f"{source}, box", "lane and band")
    lanes, names = {lane.lane for lane in file.lane}, [band.name for band in file.band]
    for nth, box in enumerate(file.box):
        if box.lane not in lanes:
            raise _unknown(
                f"lane {box.lane}", "", ", ".join(map(str, sorted(lanes))), f"{source}, box[{nth}]"
            )
        if box.band not in names:
            hint = nearest(box.band, names)
            raise _unknown(f'band "{box.band[:40]}"', hint, ", ".join(names), f"{source}, box[{nth}]")
    return Boxes(file, source)


def from_found(
    found: Found, *, image: str, rotation_deg: float, membrane: str = "1", crop: str = ""
) -> Boxes:
    """Boxes without annotation, from what was found in a picture or its part `crop`."""
    lanes = tuple(Lane(lane=i + 1, left=left, right=right) for i, (left, right) in enumerate(found.lanes))
    bands, own = [], []
    for nth, row in enumerate(found.bands):
        name = f"band {nth + 1}"
        top, bottom = sorted(row)[len(row) // 2]
        bands.append(Band(name=name, top=top, bottom=bottom))
        own += [
            Box(lane=i + 1, band=name, top=place[0], bottom=place[1])
            for i, place in enumerate(row)
            if place != (top, bottom)
        ]
    file = BoxFile(
        kind="glueprint-boxes", version=1, image=image, crop=crop, rotation_deg=rotation_deg,
        membrane=membrane, lane=lanes, band=tuple(bands), box=tuple(own),
    )  # fmt: skip
    return Boxes(file)


def _on_picture(place: tuple[int, int, int, int], shape: tuple[int, int], where: str) -> None:
    top, bottom, left, right = place
    for names, (first, last), most in (
        (("top", "bottom"), (top, bottom), shape[0]),
        (("left", "right"), (left, right), shape[1]),
    ):
        if not 0 <= first < last <= most:
            raise InputError(
                "GP-A125",
                f"{names[0]} {first}, {names[1]} {last}",
                where=where,
                expected=f"0 <= {names[0]} < {names[1]} <= {most}, pixels of the straight picture",
                next_step="correct the box; `--figure` shows boxes over the picture",
            )


def _apart(spans: list[tuple[tuple[int, int], str]], where: str, what: str) -> None:
    ordered = sorted(spans)
    for ((_, last), one), ((first, _), other) in pairwise(ordered):
        if first < last:
            raise InputError(
                "GP-A126",
                f"{one} ends at {last}, and {other} begins at {first}",
                where=where,
                expected=f"{what} that belong to one box only",
                next_step="move the end of one of them; ends are excluded, so they may be equal",
            )


def _once(names: Iterable[str], where: str, what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(
                "GP-A138",
                f"{what} {name} twice",
                where=where,
                expected="every one once",
                next_step="rename or remove one",
            )
        seen.add(name)


def _unknown(what: str, hint: str, known: str, where: str) -> InputError:
    return InputError(
        "GP-A138",
        f"no {what}{hint}",
        where=where,
        expected=f"one of {known}"[:300],
        next_step="correct the name, or add it",
    )
