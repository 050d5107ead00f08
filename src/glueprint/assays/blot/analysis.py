"""From an image to log ratios: the order of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from glueprint.assays import simulated
from glueprint.assays.blot import boxes as box_files
from glueprint.assays.blot import finding_boxes, finding_lanes, gels, geometry, optical, regions
from glueprint.assays.blot import image as images
from glueprint.assays.blot.boxes import Boxes, from_found
from glueprint.assays.blot.image import Image
from glueprint.assays.blot.integration import integrate
from glueprint.assays.blot.linearity import linearity
from glueprint.assays.blot.normalisation import excluded, normalise
from glueprint.assays.blot.optical import Signal
from glueprint.assays.blot.regions import Region
from glueprint.assays.blot.result import Result
from glueprint.assays.blot.settings import Settings
from glueprint.assays.blot.suspects import suspects
from glueprint.assays.contract import tables_of
from glueprint.assays.findings import Finding
from glueprint.assays.quality import exclusions, verdicts
from glueprint.errors import InputError

__all__ = ["Scan", "analyse", "read"]


@dataclass(frozen=True)
class Part:
    """One part of the picture, straight, with its boxes and what was said on the way."""

    angle: float
    pictures: dict[str, Signal]
    boxes: Boxes
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Scan:
    """A picture of one or more membranes.

    boxes: lanes, bands and annotation, of each part of the picture; empty: found in the image, without
    annotation.   reference: a second picture of the same membranes, such as a total-protein stain.
    """

    image: Image
    boxes: Boxes | Sequence[Boxes] = ()
    reference: Image | None = None

    @property
    def every(self) -> tuple[Boxes, ...]:
        """The boxes of each part."""
        return (self.boxes,) if isinstance(self.boxes, Boxes) else tuple(self.boxes)

    @property
    def line(self) -> str:
        """What was read, as what."""
        rows, columns = self.image.counts.shape
        boxes = f"boxes of {len(self.every)} membranes" if self.every else "no boxes"
        beside = f", beside it {Path(self.reference.source).name}" if self.reference else ""
        name = Path(self.image.source).name
        return f"{name}: {self.image.bits} bit, {rows} x {columns} pixels; {boxes}{beside}"


def read(
    path: str | Path,
    *,
    boxes: Sequence[str | Path] | None = None,
    reference_image: str | Path | None = None,
    page: int | None = None,
    channel: str | None = None,
) -> Scan:
    """A scan from its files.

    boxes: box files, one a membrane.   page, channel: as `image.read` takes them.
    Raises what `image.read` and `boxes.read` raise.
    """
    second = None if reference_image is None else images.read(reference_image, channel=channel)
    given = tuple(box_files.read(one) for one in boxes or ())
    return Scan(images.read(path, page, channel), given, second)


def analyse(observations: Image | Scan, settings: Settings | None = None) -> Result:
    """Read the bands of a blot: volumes, and ratios to the vehicle where the boxes say what is in the lanes.

    observations: a scan, or an image in which lanes and bands are found.   settings: None for the defaults.
    Returns `Result`; a saturated band, a lane without a ratio or a membrane without a vehicle lane is a
    finding, not an error. A file that says that it is simulated has the finding GP-A054, and its table of
    bands the mark in the column simulated.
    Raises InputError GP-A119 (light), GP-A121 (settings), GP-A125 and GP-A126 (boxes), GP-A127 (nothing
    found), GP-A138 (several references, a membrane twice), GP-A139 (second picture), GP-A232 (crop), GP-A233
    (rows of bands that do not share their lanes), GP-A240 (lanes to leave out).
    Source: docs/blot.md.
    """
    chosen = settings or Settings()
    scan = observations if isinstance(observations, Scan) else Scan(observations)
    image, reference = scan.image, scan.reference
    if reference is not None:
        _same_size(reference, image)
    marked = _simulated(image)
    said = _mark(image) if marked else ""
    findings = [*marked, *image.findings]
    if reference is not None:
        findings += [*_simulated(reference), *reference.findings]
    planned, of_crops = regions.planned(chosen.crop, scan.every, image.source)
    parts = [_part((image, reference), region, own, chosen) for region, own in planned]
    out, of_lanes = _left_out([part.boxes for part in parts], chosen)
    every = [_read(part, image, chosen, (out.get(part.boxes.file.membrane, {}), said)) for part in parts]
    heads = (*findings, *of_crops, *of_lanes)
    if len(every) == 1:
        return replace(every[0], findings=(*heads, *every[0].findings))
    return replace(
        every[0],
        tables={name: pl.concat([one.tables[name] for one in every]) for name in Result.SCHEMAS},
        quality=pl.concat([one.quality for one in every]),
        findings=(*heads, *(_of_membrane(finding, one) for one in every for finding in one.findings)),
        parts=tuple(every),
    )


def _part(
    images: tuple[Image, Image | None], region: Region | None, boxes: Boxes | None, settings: Settings
) -> Part:
    """A part of the picture turned straight, and its boxes, checked or found."""
    image, reference = images
    if region is not None:
        image, reference = region.of(image), region.of(reference) if reference else None
    pictures = {"blot": optical.signal(image, settings)}
    findings = [*pictures["blot"].findings]
    if reference is not None:
        # A stain that fills whole lanes has no minority of bright pixels to tell its light by.
        light = settings.light or "emission"
        pictures["reference"] = optical.signal(reference, replace(settings, light=light))
        findings += pictures["reference"].findings
    angle = geometry.tilt_deg(pictures["blot"].values) if boxes is None else boxes.file.rotation_deg
    turned = {name: _straight(picture, angle) for name, picture in pictures.items()}
    findings += _turned_findings(angle, image.source, given=boxes is not None)
    if boxes is not None:
        return Part(angle, turned, _usable(boxes, turned), tuple(findings))
    used, of_lanes = _found(turned["blot"], image, angle, region)
    return Part(angle, turned, used, (*findings, *of_lanes))


def _read(part: Part, image: Image, settings: Settings, known: tuple[Mapping[int, str], str]) -> Result:
    """The result of one part.   known: why lanes are left out, and what the file says of being simulated."""
    out, said = known
    volumes, profiles, of_bands = integrate(part.pictures, part.boxes, settings)
    bands, of_ratios = normalise(volumes, part.boxes, settings, left_out=out)
    odd, of_replicates = suspects(bands)
    lines, of_lines = linearity(volumes, part.boxes)
    return Result(
        settings=settings,
        tables=tables_of(
            Result.SCHEMAS,
            {
                "bands": [row | {simulated.COLUMN: said} for row in bands],
                "volumes": volumes,
                "linearity": lines,
                "profiles": profiles,
                "suspects": odd,
                "excluded": excluded(bands),
            },
        ),
        quality=_saturation(part, volumes, settings),
        findings=(*part.findings, *of_bands, *of_ratios, *of_replicates, *of_lines),
        rotation_deg=part.angle,
        boxes=part.boxes,
        pictures=MappingProxyType(part.pictures),
        metadata=MappingProxyType(dict(image.metadata)),
    )


def _saturation(part: Part, volumes: Sequence[Mapping[str, Any]], settings: Settings) -> pl.DataFrame:
    """How much of the worst band of each picture is at the ceiling."""
    limit, rows = settings.saturation_percent, []
    for name in dict.fromkeys(row["image"] for row in volumes):
        most = max(row["saturated_percent"] for row in volumes if row["image"] == name)
        where = f'membrane "{part.boxes.file.membrane}", {name}'
        about = {"unit": "%", "limit": f"at most {limit:g}", "passed": most <= limit}
        rows.append(verdicts.quality_row("saturated pixels of the worst band", where, most, **about))
    return pl.DataFrame(rows, schema=verdicts.QUALITY)


def _of_membrane(finding: Finding, part: Result) -> Finding:
    """A finding of one part of several, with its membrane."""
    name = f'membrane "{part.boxes.file.membrane}"'
    return replace(finding, where=f"{name}, {finding.where}" if finding.where else name)


def _left_out(boxes: Sequence[Boxes], settings: Settings) -> tuple[dict[str, dict[int, str]], list[Finding]]:
    """Why lanes are left out, by membrane and number."""
    lanes = pl.DataFrame(
        [
            {"membrane": one.file.membrane, "lane": lane.lane, exclusions.COLUMN: lane.exclude}
            for one in boxes
            for lane in one.file.lane
        ],
        schema={"membrane": pl.String, "lane": pl.Int64, exclusions.COLUMN: pl.String},
    )
    table, said = exclusions.marked(lanes, settings.exclude, by=("membrane", "lane"), what="lanes")
    out: dict[str, dict[int, str]] = {}
    for membrane, lane, why in table.filter(pl.col(exclusions.COLUMN) != "").rows():
        out.setdefault(membrane, {})[lane] = why
    return out, said


def _mark(image: Image) -> str:
    """What the description of the image says of being simulated, "" where it says nothing."""
    said = image.metadata.get("ImageDescription", image.metadata.get("Description", ""))
    head, _, rest = said.partition(":")
    return rest.strip() if head.strip().lower() == simulated.COLUMN else ""


def _simulated(image: Image) -> list[Finding]:
    return simulated.of_text(_mark(image), image.source)


def _same_size(reference: Image, image: Image) -> None:
    if reference.counts.shape != image.counts.shape:
        raise InputError(
            "GP-A139",
            f"{reference.counts.shape[0]} x {reference.counts.shape[1]} pixels beside "
            f"{image.counts.shape[0]} x {image.counts.shape[1]}",
            where=reference.source,
            expected="a second picture of the same membrane, pixel on pixel",
            next_step="export both channels of one scan",
        )


def _straight(picture: Signal, angle: float) -> Signal:
    return replace(
        picture,
        values=geometry.straight(picture.values, angle),
        saturated=geometry.straight(picture.saturated, angle, nearest=True),
    )


def _found(picture: Signal, image: Image, angle: float, region: Region | None) -> tuple[Boxes, list[Finding]]:
    seen = finding_lanes.sharp(picture.values)
    found = finding_boxes.find(picture.values, seen)
    if not found.lanes or not found.bands:
        raise InputError(
            "GP-A127",
            "no bands" if found.lanes else "no lanes",
            where=image.source,
            expected="lanes with bands that stand out from the background",
            next_step="draw them: write a box file (docs/blot.md) and give it with --boxes",
        )
    gels.agreed(seen, picture.values.shape[0], found.lanes, image.source)
    name, crop = (region.name, region.text) if region else ("1", "")
    boxes = from_found(found, image=Path(image.source).name, rotation_deg=angle, membrane=name, crop=crop)
    said = gels.gaps(found.lanes, image.source)
    if not found.placed:
        return boxes, said
    numbers = ", ".join(map(str, found.placed))
    text = f"lanes without bands, placed by the distance of the others: {numbers}"
    remedy = "look at the figure; remove them from the box file if there are none"
    return boxes, [*said, Finding("GP-A127", "note", text, image.source, "", remedy)]


def _usable(boxes: Boxes, pictures: dict[str, Signal]) -> Boxes:
    for nth, band in enumerate(boxes.file.band):
        if band.image not in pictures:
            raise InputError(
                "GP-A139",
                f'band "{band.name}" is in the picture "{band.image}", which was not given',
                where=f"{boxes.source}, band[{nth}].image",
                expected="a second picture of the membrane",
                next_step="give it with --reference-image",
            )
    rows, columns = pictures["blot"].values.shape
    return boxes.checked((rows, columns))


def _turned_findings(angle: float, source: str, *, given: bool) -> list[Finding]:
    if angle == 0.0:
        return []
    if abs(angle) > geometry.MOST_DEG:
        text = f"turned by {angle:g} degrees, more than {geometry.MOST_DEG:g}: hardly to be trusted"
        remedy = "turn the membrane on the imager, not the picture"
        return [Finding("GP-A128", "warning", text, source, f"up to {geometry.MOST_DEG:g} degrees", remedy)]
    how = "as the box file says" if given else "found from the image"
    text = f"the picture was turned straight by {angle:g} degrees, {how}; boxes are in the straight picture"
    return [Finding("GP-A128", "note", text, source)]
