"""What a reference is made of: documents that are read from its folder and checked as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from glueprint.documents import Document

__all__ = ["Assay", "Cell", "Comparator", "InVitro", "Reference", "Sentences", "Table", "listed"]

Text = Annotated[str, Field(min_length=1)]
VERSUS = " vs "


class Table(Document):
    """A table of the reference's guide.

    id: as in the column `guide` of the claims.   about: what its numbers are of.
    """

    id: Text
    number: Annotated[int, Field(ge=1)]
    title: Text
    about: Literal["assays", "trials"]


class Cell(Document):
    """A published number that virtual trials give too: trial, arm (or "A vs B"), endpoint and column."""

    trial: Text
    arm: Text
    endpoint: Text
    column: Literal["value", "p_value"]


class Assay(Document):
    """A binding assay of the compound: its name in the fit, its claim, and what it shows.

    shows: "constant", the dissociation constant in that assay, or "competition", an IC50 that depends on the
    plate.
    """

    name: Text
    claim: Text
    shows: Literal["constant", "competition"]


class Comparator(Document):
    """A second glue that the in-vitro fit learns from.

    affinity: the claim of its constant in `assay`, one of the compound's.   loss: the claim of the per cent
    of a substrate that is gone at loss_dose_nm.   tnf_alpha: the claim of its potency there.
    """

    compound: Text
    assay: Text
    affinity: Text
    loss: Text
    loss_dose_nm: Annotated[float, Field(gt=0)]
    tnf_alpha: Text


class InVitro(Document):
    """The claims that the in-vitro fit reads, by what shows them.

    potencies: culture -> claim.   blood: claim of TNF-alpha in whole blood.   blood_shift: of its ratio to
    cells.   words: claim -> how a figure calls it.
    """

    assays: Annotated[tuple[Assay, ...], Field(min_length=1)]
    potencies: dict[str, Text]
    blood: Text
    blood_shift: Text
    comparator: Comparator
    words: dict[str, Text] = {}  # noqa: RUF012

    @model_validator(mode="after")
    def _known_assay(self) -> InVitro:
        names = [assay.name for assay in self.assays]
        if self.comparator.assay not in names:
            raise ValueError(f'comparator.assay "{self.comparator.assay}" is none of {", ".join(names)}')
        return self


class Sentences(Document):
    """What a report adds, by place.

    safety: at the top.   plates: before simulated raw files.   limits: at its end.
    """

    safety: str = ""
    plates: str = ""
    limits: tuple[Text, ...] = ()


class Reference(Document):
    """A compound with its guide, its trials and what was measured of it.

    compound: name of its file.   trials, arms: published name -> name in the protocols; parameters may be set
    with these trials, all others are for prediction.   cells: claim -> where virtual trials give that number.
    """

    kind: Literal["glueprint-reference"]
    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    compound: Text
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    trials: Annotated[dict[str, Text], Field(min_length=1)]
    arms: Annotated[dict[str, Text], Field(min_length=1)]
    cells: dict[str, Cell]
    in_vitro: InVitro | None = None
    sentences: Sentences = Sentences()

    @model_validator(mode="after")
    def _names_agree(self) -> Reference:
        for names in ([table.id for table in self.tables], [table.number for table in self.tables]):
            if len(set(names)) < len(names):
                raise ValueError("two tables with one id or number")
        for claim, cell in self.cells.items():
            _check_among(f"{claim}: trial", cell.trial, self.trials)
            for arm in cell.arm.split(VERSUS):
                _check_among(f"{claim}: arm", arm, self.arms)
        return self

    @property
    def titles(self) -> Mapping[int, str]:
        """Title of each table of the guide by its number."""
        return {table.number: table.title for table in self.tables}

    @property
    def trials_in_words(self) -> str:
        """The published names of the trials, such as "A, B and C"."""
        return listed(self.trials)

    def tables_about(self, what: Literal["assays", "trials"]) -> tuple[str, ...]:
        """Ids of the tables whose numbers are of assays, or of trials."""
        return tuple(table.id for table in self.tables if table.about == what)

    def arm(self, published: str) -> str | None:
        """The protocols' name of a published arm, or of a comparison "A vs B"; None for one not known."""
        arms = [self.arms.get(name) for name in published.split(VERSUS)]
        return None if None in arms else VERSUS.join(arm for arm in arms if arm)

    def published_name(self, protocol: str) -> str:
        """The published name of a trial; the protocol's own where it has none."""
        return next((name for name, own in self.trials.items() if own == protocol), protocol)


def _check_among(what: str, name: str, names: Mapping[str, str]) -> None:
    if name not in names.values():
        raise ValueError(f'{what} "{name}" is none of {", ".join(names.values())}')


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: "A", "A and B", "A, B and C"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
