"""Allotrope plate-reader documents (JSON), as allotropy makes them of the files of many vendors.

Three traps, handled here: absorbance is labelled mAU and holds OD; a value that an error document marks as
not reported is none, whatever number stands there; where raw values are not reported, the calculated
"Reduced" are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.plate import REFERENCE, Plate, well_name
from glueprint.assays.readers.gather import Gathered
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.text import peek
from glueprint.errors import EnvironmentProblemError, InputError

__all__ = ["READER", "convert", "parse"]

KINDS = {"absorbance": "OD", "fluorescence": "", "luminescence": ""}
WAVELENGTHS = ("detector wavelength setting", "excitation wavelength setting")
Document = Mapping[str, Any]


def recognises(head: bytes, name: str) -> bool:
    """Whether the file is JSON with an Allotrope manifest or a plate reader's document."""
    text = peek(head)
    marked = "$asm.manifest" in text or "plate reader aggregate document" in text
    return name.lower().endswith(".json") and text.lstrip().startswith("{") and marked


def convert(path: str | Path, vendor: str) -> Plate:
    """The plate in a vendor's file, by way of allotropy.

    vendor: a name of allotropy's `Vendor`, such as "PERKIN_ELMER_ENVISION".
    Raises EnvironmentProblemError GP-A026 without the extra `readers`, InputError GP-A023 if allotropy
    refuses.
    """
    try:
        from allotropy.parser_factory import Vendor  # type: ignore[import-not-found]
        from allotropy.to_allotrope import allotrope_from_file  # type: ignore[import-not-found]
    except ImportError as error:
        raise EnvironmentProblemError(
            "GP-A026",
            "allotropy is not installed",
            where=str(path),
            expected="the package allotropy beside Glueprint",
            next_step="pip install 'glueprint[readers]'",
        ) from error
    try:
        document = allotrope_from_file(str(path), Vendor[vendor])
    # A converter for fourteen formats raises what it likes; its reason is passed on.
    except Exception as error:
        raise _refusal(f"allotropy cannot convert it: {type(error).__name__}: {error}", str(path)) from error
    return _plate(document, str(path))


def parse(content: bytes, source: str) -> Plate:
    """The plate in the bytes of an Allotrope document.

    Raises InputError GP-A023 (not such a document), GP-A006 (a well twice).
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refusal(f"is not JSON: {str(error)[:120]}", source) from error
    return _plate(document, source)


def _plate(document: object, source: str) -> Plate:
    top = _inside(document, "plate reader aggregate document")
    if not top:
        raise _refusal("has no plate reader aggregate document", source)
    gathered = Gathered(source)
    places: dict[str, tuple[str, str]] = {}
    units: dict[str, int] = {}
    for place, measurement in enumerate(_measurements(top)):
        sample = _inside(measurement, "sample document")
        well = well_name(str(sample.get("location identifier", ""))) or ""
        plate = str(sample.get("well plate identifier", ""))
        if not well:
            raise _refusal(f"measurement {place} names no well", source)
        places[str(measurement.get("measurement identifier", ""))] = (plate, well)
        for kind, text, unit in _values(measurement):
            units[unit] = units.get(unit, 0) + 1
            key = (plate, well, _channel(measurement, kind))
            gathered.add(key, text, KINDS[kind] or unit, where=f"measurement {place}")
    reference = list(_calculated(top, places, gathered))
    if not gathered.rows:
        raise _refusal("has no measurement", source)
    table = gathered.table()
    # A channel without one value says nothing that its "Reduced" does not.
    empty = [name for (name,), part in table.group_by("channel") if part["value"].null_count() == part.height]
    if "reduced" in table["channel"].to_list():
        table = table.filter(~pl.col("channel").is_in(empty))
    findings = [*gathered.findings(), *_unit_finding(units.get("mAU", 0), source)]
    metadata = {"analysed_channel": "reduced"} if "reduced" in table["channel"].to_list() else {}
    return Plate(source, "allotrope", table, metadata, tuple(findings), reference=_reference(reference))


def _measurements(top: Document) -> Iterator[Document]:
    for reader in _all(top, "plate reader document"):
        yield from _all(_inside(reader, "measurement aggregate document"), "measurement document")


def _values(measurement: Document) -> Iterator[tuple[str, str, str]]:
    """(kind, text, unit) of every quantity; the error stands in place of a value that has one."""
    errors = _all(_inside(measurement, "error aggregate document"), "error document")
    told = {str(item.get("error feature", "")): str(item.get("error", "error")) for item in errors}
    for kind in KINDS:
        quantity = measurement.get(kind)
        if isinstance(quantity, Mapping):
            said = told.get(kind, told.get("", ""))
            yield kind, said or _text(quantity.get("value")), str(quantity.get("unit", ""))


def _channel(measurement: Document, kind: str) -> str:
    control = _all(_inside(measurement, "device control aggregate document"), "device control document")
    settings = control[0] if control else {}
    detector, excitation = (_text(_inside(settings, name).get("value")) for name in WAVELENGTHS)
    names = [name.removesuffix(".0") for name in (excitation, detector) if name]
    return "-".join(names) or kind


def _calculated(
    top: Document, places: Mapping[str, tuple[str, str]], gathered: Gathered
) -> Iterator[dict[str, str]]:
    """Take "Reduced" as a channel; everything else that was calculated is reference."""
    for item in _all(_inside(top, "calculated data aggregate document"), "calculated data document"):
        name = str(item.get("calculated data name", ""))
        result = _inside(item, "calculated result")
        sources = _all(_inside(item, "data source aggregate document"), "data source document")
        known = {
            places[key]
            for key in (str(s.get("data source identifier", "")) for s in sources)
            if key in places
        }
        plate, well = next(iter(known)) if len(known) == 1 else ("", "")
        text = _text(result.get("value"))
        if name.lower() == "reduced" and well:
            gathered.add((plate, well, "reduced"), text, "OD", where=f'calculated "{name}"')
        elif "polarization" in name.lower() and well:
            gathered.add((plate, well, "mP"), text, "mP", where=f'calculated "{name}"')
        else:
            yield {"plate": plate, "well": well, "group": "", "sample": "", "name": name, "value": text}


def _unit_finding(count: int, source: str) -> list[Finding]:
    if not count:
        return []
    said = f"{count} absorbances labelled mAU are taken as OD, which is what such documents hold"
    return [
        Finding("GP-A027", "warning", said, source, "numbers of a few OD at most", "check one well by eye")
    ]


def _reference(rows: list[dict[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(REFERENCE))


def _inside(document: object, name: str) -> Document:
    found = document.get(name) if isinstance(document, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _all(document: Document, name: str) -> list[Document]:
    found = document.get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _text(value: object) -> str:
    """A number or text as a cell holds it; what is no finite number becomes a word."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "NaN"
    return str(value) if isinstance(value, int | str) else ""


def _refusal(what: str, where: str) -> InputError:
    return InputError(
        "GP-A023",
        what,
        where=where,
        expected="an Allotrope document of a plate reader, as allotropy makes it",
        next_step="convert the vendor's file again, or write a tidy CSV file",
    )


READER = FunctionReader("allotrope", "Allotrope document of a plate reader (JSON)", recognises, parse)
