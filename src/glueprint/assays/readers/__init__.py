"""Readers of plate files, ours and those of other packages, found by the entry points `glueprint.readers`."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from glueprint import forks
from glueprint.assays.findings import Finding
from glueprint.assays.plate import Plate
from glueprint.assays.readers.reader import HEAD_BYTES, FunctionReader, Reader
from glueprint.boundary import read_plain
from glueprint.errors import EnvironmentProblemError, InputError, nearest

__all__ = ["FunctionReader", "Reader", "available", "identify", "parse", "read"]

GROUP = "glueprint.readers"
# No plate reader writes more; what is larger is not read into memory.
ANY_TABLE = "tidy"
ALLOTROPY = "allotropy:"
MOST_BYTES = 256 * 1024 * 1024


def available() -> tuple[tuple[Reader, ...], tuple[Finding, ...]]:
    """The readers that are installed, by name, and a finding for each that cannot be used."""
    found: dict[str, Reader] = {}
    findings = []
    for entry in sorted(entry_points(group=GROUP), key=_ours_first):
        reader, problem = _loaded(entry)
        if reader is None:
            findings.append(_unusable(entry, problem))
        elif reader.name in found:
            findings.append(_unusable(entry, f'has a name that is taken: "{reader.name}"'))
        else:
            found[reader.name] = reader
    return tuple(found[name] for name in sorted(found)), tuple(findings)


def identify(path: str | Path) -> str:
    """The name of the reader whose file this is.

    Raises EnvironmentProblemError GP-A001, InputError GP-A012 (nobody's) or GP-A013 (of several readers).
    """
    return _own(_content(path, HEAD_BYTES), str(path), available()[0]).name


def read(path: str | Path, reader: str | None = None, *, sheet: str | None = None) -> Plate:
    """The plate in a file, read by the reader named, or by the one that recognises it.

    reader: a name of `available`, or "allotropy:VENDOR" for a vendor that only allotropy knows.   sheet: of a
    workbook or Prism file, which is then read as any table of wells is.

    Raises EnvironmentProblemError GP-A001, InputError GP-A012 to GP-A014, GP-A022, and what its reader
    raises.

    >>> _ = Path("plate.csv").write_text("well,value\\nA1,0.5\\nA2,0.7\\n", encoding="utf-8")
    >>> read("plate.csv").reader
    'tidy'
    """
    if reader is not None and reader.startswith(ALLOTROPY):
        # Imported when asked for: the converter is an extra, and slow to load.
        from glueprint.assays.readers import allotrope

        return allotrope.convert(path, reader.removeprefix(ALLOTROPY))
    return parse(_content(path, MOST_BYTES + 1), str(path), reader, sheet=sheet)


def parse(content: bytes, source: str, reader: str | None = None, *, sheet: str | None = None) -> Plate:
    """The plate in the bytes of a file; `source` is its name in messages; else as `read`."""
    forks.refuse()
    if len(content) > MOST_BYTES:
        raise InputError(
            "GP-A022",
            f"the file has more than {MOST_BYTES} bytes",
            where=source,
            expected="a plate reader's export",
            next_step="check that it is the right file",
        )
    readers, findings = available()
    if sheet is not None:
        found = _of_sheet(content, source, sheet)
        return replace(found, findings=(*found.findings, *findings)) if findings else found
    if reader is None:
        chosen = _own(content[:HEAD_BYTES], source, readers)
    else:
        chosen = _named(reader, readers, findings)
    found = chosen.parse(content, source)
    return replace(found, findings=(*found.findings, *findings)) if findings else found


def _of_sheet(content: bytes, source: str, sheet: str) -> Plate:
    # Imported when asked for: the sheets stand on what is said here.
    from glueprint.assays.intake.sheets import of_bytes
    from glueprint.assays.readers import tidy

    return tidy.of_sheet(of_bytes(content, source, sheet), source)


def _content(path: str | Path, most: int) -> bytes:
    try:
        return read_plain(path, most)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentProblemError(
            "GP-A001",
            f"cannot open the file: {reason}",
            where=str(path),
            next_step="check the path and the permissions",
        ) from error


def _own(head: bytes, source: str, readers: tuple[Reader, ...]) -> Reader:
    claims = [reader for reader in readers if reader.recognises(head, Path(source).name)]
    # Any instrument's file may hold a table like a plate; whose it is goes before what it looks like.
    claims = [reader for reader in claims if reader.name != ANY_TABLE] or claims
    if len(claims) == 1:
        return claims[0]
    names = ", ".join(reader.name for reader in claims)
    raise InputError(
        "GP-A013" if claims else "GP-A012",
        f"several readers claim the file: {names}" if claims else "no reader knows this file",
        where=source,
        expected="; ".join(reader.title for reader in readers),
        next_step="name the reader with --reader"
        if claims
        else "export as text, draw the plate, or --reader allotropy:VENDOR with glueprint[readers]",
    )


def _named(name: str, readers: tuple[Reader, ...], findings: tuple[Finding, ...]) -> Reader:
    for reader in readers:
        if reader.name == name:
            return reader
    broken = [finding for finding in findings if finding.where == f"reader {name}"]
    have = [reader.name for reader in readers]
    raise InputError(
        "GP-A014" if broken else "GP-A012",
        broken[0].message if broken else f'no reader "{name[:40]}"{nearest(name, have)}',
        where=f"reader {name}" if broken else "--reader",
        expected=f"one of {', '.join(have)}",
        next_step=broken[0].next_step if broken else "see `glueprint assay readers`",
    )


def _ours_first(entry: EntryPoint) -> tuple[bool, str, str]:
    return (not entry.value.startswith("glueprint."), entry.name, entry.value)


def _loaded(entry: EntryPoint) -> tuple[Reader | None, str]:
    """A reader, or what is wrong with it; whatever another package raises must not end our reading."""
    try:
        loaded = entry.load()
    except Exception as error:
        return None, f"cannot be loaded: {type(error).__name__}: {error}"
    if not isinstance(loaded, Reader):
        return None, "is no reader: it needs name, title, recognises and parse"
    return loaded, ""


def _unusable(entry: EntryPoint, problem: str) -> Finding:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return Finding(
        "GP-A014",
        "warning",
        f"the reader of {package} ({entry.value}) {problem}",
        where=f"reader {entry.name}",
        expected="a reader as docs/assays.md describes",
        next_step=f"repair or remove {package}; the other readers are not affected",
    )
