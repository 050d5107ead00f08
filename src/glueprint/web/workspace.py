"""Projects as folders below one folder: listed, begun, copied, packed, unpacked, put away and fetched back.

A project is known by the name of its folder. A name that comes from a page is compared with the folders that
are there, and is never a path itself. Listing them needs no science; what does loads it when asked.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from glueprint.boundary import files, odd_entries
from glueprint.runs.store import disk_errors
from glueprint.web.refusals import RefusedError, refused

__all__ = ["HIDDEN", "Entry", "Limits", "Workspace", "check_name"]

HIDDEN, TRASH, INCOMING = ".workbench", "trash", "incoming"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
PUT_AWAY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,59})\.(?P<nth>[0-9]{1,6})")
FILE, RESULT = "glue.toml", "result"
MOST_ABOUT = 1 << 20  # bytes of a project's file that the list reads
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say, so that equal folders give equal bytes
CHUNK = 1 << 20
LEFT_OUT = frozenset({".lock"})

State = Literal["new", "unfinished", "finished", "unreadable"]


@dataclass(frozen=True)
class Limits:
    """What a packed project may hold. files: in number.   bytes: unpacked.   ratio: unpacked to packed."""

    files: int = 20_000
    bytes: int = 2 * 1024**3
    ratio: float = 200.0


@dataclass(frozen=True)
class Entry:
    """A project in the list.

    name: of its folder.   compound: of its file.   state: of its result.   assays: entries in its file.
    size: bytes of all its files.   changed: when its file was last written.
    """

    name: str
    compound: str
    simulated: bool
    state: State
    assays: int
    size: int
    changed: datetime


class Workspace:
    """The folder of all projects. Nothing outside it is read or written."""

    def __init__(self, folder: str | Path, limits: Limits | None = None) -> None:
        self.folder = Path(folder).resolve()
        self.limits = limits or Limits()
        with disk_errors(self.folder):
            for place in (self.folder, self.hidden):
                place.mkdir(parents=True, exist_ok=True)

    @property
    def hidden(self) -> Path:
        """What the workbench keeps for itself: jobs, projects put away, files on their way in."""
        return self.folder / HIDDEN

    def projects(self) -> tuple[Entry, ...]:
        """All projects by name; a folder without a project's file is none."""
        with disk_errors(self.folder):
            names = sorted(entry.name for entry in os.scandir(self.folder) if _is_project(entry))
        return tuple(_entry(self.folder / name) for name in names)

    def place(self, name: str) -> Path:
        """The folder of a project.   Raises RefusedError GP-B010 for a name that no project has."""
        folder = self.folder / name if NAME.fullmatch(name) else None
        if folder is None or folder.is_symlink() or not (folder / FILE).is_file():
            raise refused(
                "GP-B010",
                f'there is no project "{name[:60]}"',
                "one of the projects on the first page",
                "open the first page; the project may have been deleted in another window",
            )
        return folder

    def new(
        self,
        name: str,
        *,
        compound: str,
        smiles: str,
        twin: bool = False,
        seed: int = 1,
        reference: bool = True,
    ) -> Path:
        """Begin a project, as `glueprint glue new` does.   Raises what that raises, and as `free`."""
        from glueprint.mechanism import compounds
        from glueprint.study import glue

        folder = self.free(name)
        beside = compounds.REFERENCE if reference else None
        glue.new(folder, compound=compound, smiles=smiles, reference=beside, twin=twin, seed=seed)
        return folder

    def free(self, name: str) -> Path:
        """The folder that a new project of this name gets.

        Raises RefusedError GP-B009 for a name that is none, GP-B011 for one that is taken.
        """
        check_name(name)
        folder = self.folder / name
        if os.path.lexists(folder):
            raise refused(
                "GP-B011", f'"{name}" is there already', "a name that is free", "choose another name"
            )
        return folder

    def duplicate(self, name: str, copy: str) -> Path:
        """A copy of a project under another name, file by file; a link is refused."""
        source, target = self.place(name), self.free(copy)
        _refuse_odd(source)
        with disk_errors(target), self._incoming() as place:
            shutil.copytree(source, place / copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
            (place / copy).rename(target)
        return target

    def put_away(self, name: str) -> str:
        """Delete a project in a way that can be undone; returns the ticket for `fetch_back`."""
        source = self.place(name)
        trash = self.hidden / TRASH
        with disk_errors(trash):
            trash.mkdir(exist_ok=True)
            taken = [
                int(found["nth"]) for one in os.scandir(trash) if (found := PUT_AWAY.fullmatch(one.name))
            ]
            ticket = f"{name}.{max(taken, default=0) + 1}"
            source.rename(trash / ticket)
        return ticket

    def put_away_names(self) -> tuple[str, ...]:
        """Tickets of the projects that were put away, the last first."""
        trash = self.hidden / TRASH
        there = [one.name for one in os.scandir(trash)] if trash.is_dir() else []
        known = [found for name in there if (found := PUT_AWAY.fullmatch(name))]
        return tuple(found.string for found in sorted(known, key=lambda found: -int(found["nth"])))

    def fetch_back(self, ticket: str) -> Path:
        """Undo `put_away`.   Raises RefusedError GP-B010 (no such ticket), GP-B011 (name taken)."""
        found = PUT_AWAY.fullmatch(ticket)
        if not found or not (self.hidden / TRASH / ticket).is_dir():
            raise refused(
                "GP-B010", "nothing of that name was deleted", "a project of the list", "look at the list"
            )
        target = self.free(found["name"])
        with disk_errors(target):
            (self.hidden / TRASH / ticket).rename(target)
        return target

    def empty_trash(self) -> int:
        """Remove for good what was put away; returns how many projects."""
        tickets = self.put_away_names()
        with disk_errors(self.hidden):
            for ticket in tickets:
                shutil.rmtree(self.hidden / TRASH / ticket)
        return len(tickets)

    def packed(self, name: str) -> bytes:
        """A project as a zip: the same files give the same bytes, on any machine."""
        folder = self.place(name)
        _refuse_odd(folder)
        content = io.BytesIO()
        with (
            disk_errors(folder),
            zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack,
        ):
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
                if path.is_file() and path.name not in LEFT_OUT:
                    about = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
                    about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
                    pack.writestr(about, path.read_bytes())
        return content.getvalue()

    def unpack(self, content: bytes, name: str) -> Path:
        """A project out of a zip that `packed` or somebody else made.

        Raises RefusedError GP-B020 (no zip, or no project in it), GP-B021 (more than `limits`), GP-B022 (a
        name that leads out, or a link), and as `free`. Nothing is left of a zip that is refused.
        """
        from glueprint.study import glue

        target = self.free(name)
        with disk_errors(target), self._incoming() as place:
            try:
                with zipfile.ZipFile(io.BytesIO(content)) as pack:
                    self._unpack(pack, place / name, len(content))
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
                raise _no_zip(str(error)) from error
            if not (place / name / FILE).is_file():
                raise _no_zip(f"it holds no {FILE}")
            glue.load(place / name)
            (place / name).rename(target)
        return target

    def _unpack(self, pack: zipfile.ZipFile, folder: Path, size: int) -> None:
        members = [one for one in pack.infolist() if not one.is_dir()]
        most = min(self.limits.bytes, int(self.limits.ratio * size) + CHUNK)
        if len(members) > self.limits.files or sum(one.file_size for one in members) > most:
            raise self._too_large()
        folder.mkdir()
        left = most
        for one in members:
            kind = one.external_attr >> 16 & 0o170000
            if not files.is_name_inside(one.filename) or kind not in (0, 0o100000):
                raise refused(
                    "GP-B022",
                    f"the zip holds {one.filename[:80]!r}, which leads out of it or is a link",
                    "plain files inside the project",
                    "pack the project again with its own page, or with `zip -r` inside its folder",
                )
            left -= _written(pack, one, folder / one.filename, left)
            if left < 0:
                raise self._too_large()

    def _too_large(self) -> RefusedError:
        return refused(
            "GP-B021",
            "unpacked, the zip is too large",
            f"at most {self.limits.files} files and {self.limits.bytes // 1024**2} MB, "
            f"{self.limits.ratio:g} times its packed size",
            "unpack it by hand into the folder of the projects if you trust it",
        )

    def _incoming(self) -> _Incoming:
        return _Incoming(self.hidden / INCOMING)


class _Incoming:
    """A folder for what is on its way in, which is gone afterwards whatever came of it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> Path:
        self.place.mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(dir=self.place))
        return self.folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def check_name(name: str) -> str:
    """A name for a project.   Raises RefusedError GP-B009."""
    if not NAME.fullmatch(name):
        raise refused(
            "GP-B009",
            f'"{name[:60]}" cannot be the name of a project',
            "1 to 60 letters a to z, digits, - and _, the first a letter or digit",
            "choose such a name; it becomes the name of a folder",
            where="name",
        )
    return name


def _written(pack: zipfile.ZipFile, one: zipfile.ZipInfo, path: Path, most: int) -> int:
    """Unpack a member, whatever its head says of its size; bytes written, more than `most` if it goes on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with pack.open(one) as source, path.open("xb") as target:
        while written <= most and (chunk := source.read(CHUNK)):
            written += len(chunk)
            target.write(chunk)
    return written


def _no_zip(reason: str) -> RefusedError:
    return refused(
        "GP-B020",
        f"the file is no packed project: {reason[:200]}",
        f"a zip with {FILE} at its top, as the page packs it",
        "pack the project again",
    )


def _refuse_odd(folder: Path) -> None:
    if odd := odd_entries(folder):
        raise refused(
            "GP-B022",
            f"the project holds {odd[0][:80]!r}, which is a link or no plain file",
            "plain files and folders",
            "replace it by a copy of what it leads to",
        )


def _is_project(entry: os.DirEntry[str]) -> bool:
    named = NAME.fullmatch(entry.name) is not None
    return named and entry.is_dir(follow_symlinks=False) and os.path.isfile(os.path.join(entry.path, FILE))  # noqa: PTH113, PTH118


def _entry(folder: Path) -> Entry:
    """What the list says of a project; its file is read and not checked, which opening it does."""
    path = folder / FILE
    try:
        about = tomllib.loads(files.read_plain(path, MOST_ABOUT, ours=True).decode("utf-8"))
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, RecursionError):
        return Entry(folder.name, "", False, "unreadable", 0, _size(folder), datetime.fromtimestamp(0, UTC))
    assays = about.get("assay")
    return Entry(
        name=folder.name,
        compound=str(about.get("compound", "")),
        simulated=about.get("simulated") is True,
        state=_state(folder),
        assays=len(assays) if isinstance(assays, list) else 0,
        size=_size(folder),
        changed=changed,
    )


def _state(folder: Path) -> State:
    if (folder / RESULT / "provenance.json").is_file():
        return "finished"
    return "unfinished" if (folder / RESULT).is_dir() else "new"


def _size(folder: Path) -> int:
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry.stat(follow_symlinks=False).st_size
