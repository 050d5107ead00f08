"""COMBINE archives (OMEX): a model, a simulation of it and the course that it gives, in one file.

Source: COMBINE archive 1, doi:10.1186/s12859-014-0369-z. An archive of somebody else's is a ZIP file, and is
read as one that may lie: names that lead out, links, contents that swell.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import quoteattr

from glueprint.boundary import Ended, Helper, Limits, read_plain
from glueprint.boundary import files as plain_files
from glueprint.errors import InputError

__all__ = ["FORMATS", "Archive", "Content", "opened", "packed"]

HEAD = "http://identifiers.org/combine.specifications/"
FORMATS = {
    "archive": f"{HEAD}omex",
    "manifest": f"{HEAD}omex-manifest",
    "sbml": f"{HEAD}sbml.level-3.version-2",
    "sedml": f"{HEAD}sed-ml.level-1.version-3",
    "csv": "http://purl.org/NET/mediatypes/text/csv",
    "text": "http://purl.org/NET/mediatypes/text/plain",
}
MANIFEST = "manifest.xml"
NAMESPACE = "http://identifiers.org/combine.specifications/omex-manifest"
OLDEST = (1980, 1, 1, 0, 0, 0)  # of a ZIP file: equal contents give equal archives
# Of an archive of somebody else's: the largest of BioModels hold some hundred files and some 10 MB.
MOST_BYTES, MOST_FILES, MOST_UNPACKED = 256 * 1024 * 1024, 2_000, 512 * 1024 * 1024
MOST_TIMES = 1_000  # that a file may be larger than it is packed, beyond a first MB
LIMITS = Limits(seconds=60, memory_mb=1024)


@dataclass(frozen=True)
class Content:
    """A file of an archive.   format: of `FORMATS`, or another URI.   master: the one to begin with."""

    name: str
    format: str
    data: bytes
    master: bool = False


@dataclass(frozen=True)
class Archive:
    """contents: files that the manifest names, in its order.   unlisted: names of all others."""

    contents: tuple[Content, ...]
    unlisted: tuple[str, ...] = ()

    def of(self, format: str) -> tuple[Content, ...]:  # noqa: A002 - the manifest's own word
        """The files of a format, by the part of its URI after the last slash: sbml, sed-ml; masters first."""
        found = [one for one in self.contents if one.format.rsplit("/", 1)[-1].startswith(format)]
        return tuple(sorted(found, key=lambda one: not one.master))


def packed(contents: Sequence[Content]) -> bytes:
    """An archive of files, the same bytes for the same files."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<omexManifest xmlns={quoteattr(NAMESPACE)}>",
        f'  <content location="." format={quoteattr(FORMATS["archive"])}/>',
        f'  <content location="./{MANIFEST}" format={quoteattr(FORMATS["manifest"])}/>',
    ]
    for one in contents:
        master = ' master="true"' if one.master else ""
        place = quoteattr(f"./{one.name}")
        lines.append(f"  <content location={place} format={quoteattr(one.format)}{master}/>")
    manifest = "\n".join([*lines, "</omexManifest>", ""]).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packing:
        for name, data in ((MANIFEST, manifest), *((one.name, one.data) for one in contents)):
            entry = zipfile.ZipInfo(name, OLDEST)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packing.writestr(entry, data)
    return stream.getvalue()


def opened(path: str | os.PathLike[str]) -> Archive:
    """The files of an archive, in memory; nothing is written.

    Raises InputError GP-W031 (it cannot be read), GP-W033 (it holds names that lead out, links, encrypted
    files, one name twice, or more than an archive may).
    """
    where = os.fspath(path)
    try:
        data = read_plain(path, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise _hostile(f"more than {MOST_BYTES} bytes", where)
        files = _unpacked(data, where)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _unreadable(getattr(error, "strerror", None) or str(error), where) from error
    listed = _manifest(files.get(MANIFEST, b""), where)
    contents = []
    for name, (kind, master) in listed.items():
        if name in files:
            contents.append(Content(name, kind, files[name], master))
        elif name not in (".", MANIFEST):
            raise _unreadable(f'the manifest names "{name}", which is not there', where)
    unlisted = tuple(sorted(files.keys() - listed.keys() - {MANIFEST}))
    return Archive(tuple(one for one in contents if one.name != MANIFEST), unlisted)


def _unpacked(data: bytes, where: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as packing:
        entries = packing.infolist()
        if len(entries) > MOST_FILES:
            raise _hostile(f"{len(entries)} files", where)
        total = 0
        for entry in entries:
            name = entry.filename.removeprefix("./")
            mode = entry.external_attr >> 16
            if entry.is_dir() and plain_files.is_name_inside(name.removesuffix("/")):
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise _hostile(f'"{name}", which is a link or no plain file', where)
            if not plain_files.is_name_inside(name):
                raise _hostile(f'"{name}", a name that leads out of it', where)
            if name in files:
                raise _hostile(f'"{name}" twice', where)
            if entry.flag_bits & 1:
                raise _hostile(f'"{name}", which is encrypted', where)
            total += entry.file_size
            swollen = entry.file_size > (1 << 20) + MOST_TIMES * entry.compress_size
            if total > MOST_UNPACKED or swollen:
                raise _hostile(f'"{name}" of {entry.file_size} bytes, {entry.compress_size} packed', where)
            with packing.open(entry) as stream:
                files[name] = stream.read(entry.file_size + 1)
            if len(files[name]) != entry.file_size:
                raise _hostile(f'"{name}", whose size is not the one it states', where)
    return files


def _manifest(data: bytes, where: str) -> dict[str, tuple[str, bool]]:
    """Format of each file, and whether it is a master."""
    if not data:
        raise _unreadable(f"it holds no {MANIFEST}", where)
    try:
        answer, _ = _helper().ask(data, {"root": "omexManifest"})
    except Ended as ended:
        raise _unreadable(f"{MANIFEST}: {ended}", where) from ended
    if "unreadable" in answer:
        raise _unreadable(f"{MANIFEST}: {answer['unreadable']}", where)
    found = {}
    for element, attributes, _, _ in answer["tree"][3]:
        place = str(attributes.get("location", ""))
        name = place if place == "." else place.removeprefix("./").removeprefix("/")
        if element != "content" or (name != "." and not plain_files.is_name_inside(name)):
            raise _unreadable(f'{MANIFEST} names "{place}"', where)
        found[name] = (str(attributes.get("format", "")), attributes.get("master") == "true")
    return found


@cache
def _helper() -> Helper:
    return Helper("glueprint.boundary.markup:tree", LIMITS)


def _unreadable(message: str, where: str) -> InputError:
    return InputError(
        "GP-W031",
        f"it cannot be read: {message}",
        where=where,
        expected="a COMBINE archive: a ZIP file with manifest.xml and the files that it names",
        next_step="export it again with the program that made it",
    )


def _hostile(what: str, where: str) -> InputError:
    return InputError(
        "GP-W033",
        f"it holds {what}",
        where=where,
        expected="plain files below one folder, as programs write them",
        next_step="do not unpack it by other means unless you know who made it",
    )
