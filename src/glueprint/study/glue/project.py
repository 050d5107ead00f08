"""The project of one glue as a TOML file: which raw file is which assay, where its PK is, which trial."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from glueprint.boundary import files as plain
from glueprint.calibration import LEAST_REPLICATES
from glueprint.documents import Codes, Document, read, validate
from glueprint.errors import InputError
from glueprint.mechanism import Compound, Quantity, compounds, pharmacokinetics
from glueprint.mechanism.pharmacokinetics import Pharmacokinetics

__all__ = [
    "BORROWED",
    "FILE",
    "RAW",
    "Assay",
    "PkFile",
    "PkRequest",
    "Project",
    "SweepRequest",
    "TrialRequest",
    "check_place",
    "load",
    "read_pk",
]

FILE, RAW = "glue.toml", "raw"
BORROWED = "borrowed"
CODES = Codes(
    unreadable="GP-S020",
    syntax="GP-S021",
    header="GP-S022",
    field="GP-S023",
    help="docs/your-glue.md shows a whole project file",
)
# A compound's name is the name of its file, too.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+() -]{0,60}")

Inside = Annotated[str, Field(min_length=1)]


def _inside(name: str) -> str:
    if not plain.is_name_inside(name):
        raise ValueError("a path inside the project's folder, written with /, such as raw/fp/plate.txt")
    return name


class Assay(Document):
    """One assay: its raw files, and what is in them.

    name: of the experiment, which compound and reference share.   files: what the instrument wrote, one plate
    file, or a table; images for a blot.   layout: of a plate.   boxes: of a blot, one an image.
    cells: line or donor, where the files do not say.   called: name in the files -> the compound's name.
    exclude: what is left out and why, as `--exclude` of the assay commands takes it: "A1,A2=bubble".
    sheet: of a workbook or Prism file, the first that holds anything if left out.   dose_unit: of a table of
    growth whose doses state none, as `--dose-unit` takes it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    kind: Literal["fp", "elisa", "blot", "degradation", "growth", "table"]
    files: Annotated[tuple[Inside, ...], Field(min_length=1)]
    layout: Inside | None = None
    boxes: tuple[Inside, ...] = ()
    cells: str = ""
    called: dict[str, str] = {}  # noqa: RUF012 (pydantic copies defaults)
    exclude: tuple[Inside, ...] | None = None
    sheet: Inside | None = None
    dose_unit: Inside | None = None

    @field_validator("files", "boxes")
    @classmethod
    def _stay_inside(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_inside, names))

    @field_validator("layout")
    @classmethod
    def _stays_inside(cls, name: str | None) -> str | None:
        return name and _inside(name)

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Assay:
        if self.kind == "blot" and len(self.boxes) != len(self.files):
            raise ValueError(f"a blot needs boxes for each image: {len(self.files)} files")
        if self.kind != "blot" and self.boxes:
            raise ValueError("boxes belong to a blot")
        if self.layout and self.kind not in ("fp", "elisa", "growth"):
            raise ValueError("a layout belongs to a plate: fp, elisa or growth")
        if self.sheet and self.kind in ("blot", "table"):
            raise ValueError("a sheet belongs to a workbook or Prism file: fp, elisa, growth or degradation")
        if self.dose_unit and self.kind != "growth":
            raise ValueError("a dose_unit belongs to growth; in other files doses stand beside their unit")
        if self.kind == "table" and self.exclude:
            raise ValueError("a table holds what was analysed already: leave rows out of the file itself")
        if self.kind in ("fp", "elisa", "growth", "table") and len(self.files) != 1:
            raise ValueError(f"one file an assay of kind {self.kind}; write another [[assay]] for the next")
        return self

    @property
    def all_files(self) -> tuple[str, ...]:
        """Raw files, and what says what is in them."""
        return (*self.files, *self.boxes, *((self.layout,) if self.layout else ()))


class PkRequest(Document):
    """Where the pharmacokinetics come from: a file of the project, or "borrowed" from the reference."""

    source: Inside

    @field_validator("source")
    @classmethod
    def _stays_inside(cls, source: str) -> str:
        return source if source == BORROWED else _inside(source)


class PkFile(Document):
    """What stands in a file of pharmacokinetics: the fraction unbound, and [pk] as in a compound's file."""

    kind: Literal["glueprint-pk"]
    version: Literal[1]
    fraction_unbound: Quantity
    pk: Pharmacokinetics


class TrialRequest(Document):
    """The trial to predict.

    protocol: name, or path in the project's folder.   arm: whose glue is replaced, the first with one if left
    out; the arm as written is the comparison.   dose_mg, days: of the new glue.   rules: its dose rules,
    "none" for a fixed dose; left out, those of the glue that it replaces, their doses in proportion.
    patients: of each virtual trial.   replicates: virtual trials, each with a draw of the posterior.
    """

    protocol: Inside
    arm: str | None = None
    dose_mg: Annotated[float, Field(gt=0)]
    days: str | None = None
    rules: Inside | None = None
    patients: Annotated[int, Field(ge=10, le=10_000)] = 100
    replicates: Annotated[int, Field(ge=LEAST_REPLICATES, le=10_000)] = 60
    structure: Literal["burden", "claret", "two-clone"] = "burden"


class SweepRequest(Document):
    """Doses of the new glue to compare, and what a team asks of them."""

    doses_mg: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1, max_length=20)]
    orr_above_percent: Annotated[float, Field(ge=0, lt=100)] = 30.0
    neutropenia_limit_percent: Annotated[float, Field(gt=0, lt=100)] = 50.0

    @field_validator("doses_mg")
    @classmethod
    def _rise(cls, doses: tuple[float, ...]) -> tuple[float, ...]:
        if list(doses) != sorted(set(doses)):
            raise ValueError("doses that rise, each once")
        return doses


class Project(Document):
    """All that a project says of its glue."""

    kind: Literal["glueprint-glue"]
    version: Literal[1]
    compound: str
    smiles: Annotated[str, Field(min_length=1)]
    # The compound on the plates whose numbers in patients are known; none if left out.
    reference: Inside | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    simulated: bool = False
    assay: tuple[Assay, ...] = ()
    pk: PkRequest | None = None
    trial: TrialRequest | None = None
    sweep: SweepRequest | None = None
    _folder: Path = PrivateAttr(default=Path())

    @field_validator("compound")
    @classmethod
    def _names_a_file(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("a name of 1 to 61 letters, digits, spaces and . _ + ( ) -, as it names a file")
        return name

    @model_validator(mode="after")
    def _names_differ(self) -> Project:
        names = [one.name for one in self.assay]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two assays are called {', '.join(twice)}; each needs a name of its own")
        if self.compound in (self.reference, *compounds.names()):
            raise ValueError(f'"{self.compound}" comes with Glueprint; choose another name')
        if self.sweep and not self.trial:
            raise ValueError("a sweep needs a trial: [trial] with protocol and dose_mg")
        return self

    @property
    def folder(self) -> Path:
        """Where its paths begin."""
        return self._folder

    def load_reference(self) -> Compound | None:
        """The compound beside the new one on its plates.   Raises what `compounds.load` raises."""
        if self.reference is None:
            return None
        if self.reference.endswith(".toml"):
            check_place(self._folder, self.reference)
        return compounds.load(self.reference, folder=self._folder)

    def files(self) -> Iterator[str]:
        """Every file that it names, as written."""
        for one in self.assay:
            yield from one.all_files
        if self.pk and self.pk.source != BORROWED:
            yield self.pk.source


def load(folder: str | Path) -> Project:
    """The project in a folder.

    Raises InputError GP-S020 (no project file that can be read), GP-S021 (not TOML), GP-S022 (another kind or
    version), GP-S023 (a field).
    """
    path = Path(folder) / FILE
    project = validate(Project, read(path, CODES), CODES, where=str(path))
    project._folder = Path(folder)
    return project


def check_place(folder: Path, name: str) -> Path:
    """The path of a file that a project names, which lies in its folder and is no link.

    Raises InputError GP-S024.
    """
    path, here = folder / name, folder
    reason = "" if plain.is_name_inside(name) else "leads out of the folder"
    for part in name.split("/") if not reason else ():
        here = here / part
        if here.is_symlink():
            reason = "is a link, or lies behind one"
    if reason:
        raise InputError(
            "GP-S024",
            f'"{name[:80]}" {reason}',
            where=str(folder / FILE),
            expected="plain files inside the project's folder, named from there",
            next_step="copy the file into the folder and name the copy",
        )
    return path


def read_pk(project: Project) -> PkFile | None:
    """The file of pharmacokinetics that the project names; None if it borrows them or names none.

    Raises InputError GP-S020 to GP-S024.
    """
    if project.pk is None or project.pk.source == BORROWED:
        return None
    path = check_place(project.folder, project.pk.source)
    tables = read(path, CODES)
    module = tables["pk"].get("module") if isinstance(tables.get("pk"), dict) else None
    if isinstance(module, str):
        check_place(path.parent, module)
    return validate(PkFile, pharmacokinetics.with_module(tables, path), CODES, where=str(path))
