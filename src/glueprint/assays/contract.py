"""The contract of all assays: settings that say and check what they hold, observations in, one result out."""

from __future__ import annotations

import math
import operator
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cache
from html import escape
from itertools import pairwise
from numbers import Integral, Real
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

import polars as pl

from glueprint.assays.findings import Finding, findings_table
from glueprint.curves import Potency
from glueprint.errors import InputError, nearest
from glueprint.frames import as_pandas

__all__ = [
    "EXCLUDED",
    "QUALITY",
    "SUSPECTS",
    "AssayResult",
    "Choice",
    "Confidence",
    "Exclude",
    "Field",
    "Observations",
    "Settings",
    "tables_of",
    "with_common",
]

# What draws stands above; the name is looked up when a figure is asked for (docs/design.md, An assay).
FIGURE = "glueprint.report.figures.assays:of_result"
TEXT, NUMBER = pl.String(), pl.Float64()
# One number with its limit; the verdict is "pass", "fail" or "".
QUALITY = pl.Schema(
    {"name": TEXT, "where": TEXT, "value": NUMBER, "unit": TEXT, "limit": TEXT, "verdict": TEXT}
)
# What the rest of its curve contradicts, and what was left out: where (plate:well, membrane:lane, row);
# curve; kind or role and sample; dose or concentration; response.
SUSPECTS = pl.Schema(
    {"curve": TEXT, "where": TEXT, "kind": TEXT, "x": NUMBER, "value": NUMBER}
    | {"expected": NUMBER, "t": NUMBER, "p_value": NUMBER}
)
EXCLUDED = pl.Schema(
    {"where": TEXT, "curve": TEXT, "role": TEXT, "sample": TEXT}
    | {"x": NUMBER, "value": NUMBER, "reason": TEXT}
)
ENDS = {
    "above": ("above", operator.gt),
    "below": ("below", operator.lt),
    "least": ("of at least", operator.ge),
    "most": ("at most", operator.le),
}
# Rows of a table that a notebook shows.
SHOWN = 20


@dataclass(frozen=True)
class Choice:
    """What a field of settings says of itself.

    help: a sentence, without words allowed and unit.   allowed: the words it may be.   unit: of a number.
    above, below: open ends of a number.   least, most: closed ones.   expected: in words, "": from the ends.
    option: on the command line, where it is not the field's name.
    """

    help: str
    allowed: tuple[str, ...] = ()
    above: float | None = None
    below: float | None = None
    least: float | None = None
    most: float | None = None
    expected: str = ""
    option: str = ""
    unit: str = ""

    @property
    def text(self) -> str:
        """The help with its words and its unit."""
        *head, last = self.allowed or ("",)
        words = f": {', '.join(head)} or {last}" if head else ""
        return f"{self.help.removesuffix('.')}{words}{', ' * bool(self.unit)}{self.unit}."

    @property
    def ends(self) -> dict[str, float]:
        """The ends of a number, by name."""
        return {name: getattr(self, name) for name in ENDS if getattr(self, name) is not None}

    def holds(self, value: float) -> bool:
        """Whether a number is finite and within the ends."""
        return math.isfinite(value) and all(ENDS[name][1](value, end) for name, end in self.ends.items())

    @property
    def range(self) -> str:
        """What a number should be, in words."""
        unit = f" {self.unit}".rstrip()
        return ", ".join(f"{ENDS[name][0]} {end:g}{unit}" for name, end in self.ends.items())


@dataclass(frozen=True)
class Field:
    """A field of settings: its name, its type (of the items, where there are several) and its choice.

    optional: whether it may be None.   many: items of a tuple, 0 for any number, None for a single value.
    """

    name: str
    kind: Any
    choice: Choice
    default: Any
    optional: bool
    many: int | None

    @property
    def option(self) -> str:
        """Its name on the command line, without dashes, per cent and pixels."""
        name = self.name.removesuffix("_percent").removesuffix("_px")
        return self.choice.option or name.replace("_", "-")

    def wrong(self, value: Any) -> tuple[str, str] | None:
        """What is wrong with a value, and what was expected; None where nothing is."""
        if value is None and self.optional:
            return None
        if self.many is None:
            return self._wrong_item(value)
        several = "two finite numbers, the lower first" if self.many == 2 else "a list"
        if not isinstance(value, tuple | list) or (self.many and len(value) != self.many):
            return repr(value), several
        found = next((wrong for wrong in map(self._wrong_item, value) if wrong), None)
        if self.many and (found or not all(a < b for a, b in pairwise(value))):
            return ", ".join(map(str, value)), several
        return found

    def _wrong_item(self, value: Any) -> tuple[str, str] | None:
        allowed = self.choice.allowed
        if allowed and value not in allowed:
            return f'"{value}"{nearest(str(value), allowed)}', "one of " + ", ".join(allowed)
        if self.kind in (int, float):
            what = "a whole number" if self.kind is int else "a number"
            expected = self.choice.expected or " ".join(filter(None, (what, self.choice.range)))
            numbers = Integral if self.kind is int else Real
            if isinstance(value, bool) or not isinstance(value, numbers):
                return repr(value), expected
            return None if self.choice.holds(float(value)) else (f"{value:g}", expected)
        fits = isinstance(value, self.kind)
        return None if fits else (repr(value), self.choice.expected or self.kind.__name__)


@dataclass(frozen=True)
class Settings:
    """What a person may choose, checked when made; the command line has an option for every field.

    Each field of an assay's settings is one line: `name: Annotated[type, Choice(...)] = default`.
    Raises InputError with the assay's `CODE` for a value that its field does not allow.
    """

    CODE: ClassVar[str]
    PAGE: ClassVar[str]

    def __post_init__(self) -> None:
        for one in self.fields():
            wrong = one.wrong(getattr(self, one.name))
            if wrong is not None:
                raise self.refusal(one.name, *wrong)
        self.together()

    def together(self) -> None:
        """Raise a refusal where two fields contradict each other."""

    @classmethod
    def refusal(cls, name: str, message: str, expected: str) -> InputError:
        """The error of a field."""
        return InputError(
            cls.CODE,
            message,
            where=f"setting {name}",
            expected=expected,
            next_step=f"see {cls.PAGE}; the --help of the command lists every choice",
        )

    @classmethod
    @cache
    def fields(cls) -> tuple[Field, ...]:
        """The fields in their order."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(_field(one.name, hints[one.name], one.default) for one in fields(cls))


def _field(name: str, hint: Any, default: Any) -> Field:
    hint, choice = get_args(hint)
    optional = get_origin(hint) in (Union, UnionType)
    if optional:
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    many = None
    if get_origin(hint) is tuple:
        items = get_args(hint)
        hint, many = items[0], 0 if items[-1] is ... else len(items)
    return Field(name, hint, choice, None if default is MISSING else default, optional, many)


Confidence = Annotated[float, Choice("Confidence of all intervals.", above=0.0, below=1.0)]
Exclude = Annotated[
    tuple[str, ...],
    Choice('What to leave out and why: "A1,A2=bubble", "plate 2:B4=empty", "row 7=spill"; repeat for more.'),
]


@dataclass(frozen=True)
class Observations:
    """What was measured, and what was noticed while it was read.

    table: of wells, lanes or cultures, as the assay's `analyse` says.   assay: numbers that hold for all of
    it, such as protein_nm.   line: what was read, as what.   source: where `assay` stands, for messages.
    """

    table: pl.DataFrame
    findings: tuple[Finding, ...] = ()
    assay: Mapping[str, float] = field(default_factory=dict)
    line: str = ""
    source: str = ""

    @classmethod
    def of(cls, given: pl.DataFrame | Observations) -> Observations:
        """Observations as they are, a bare table as observations of which nothing else is known."""
        return given if isinstance(given, Observations) else Observations(given)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class AssayResult:
    """What an analysis gives back; every assay has the same six parts, and `plot()`.

    settings: as chosen.   tables: by name, with the columns of `SCHEMAS`, and "findings"; `result.NAME` is
    `tables["NAME"]`.
    potencies: pooled ones first.   quality: numbers with limit and verdict (`quality.verdicts.QUALITY`).
    findings: of the reading and the analysis, in the order met.
    """

    ASSAY: ClassVar[str]
    SCHEMAS: ClassVar[Mapping[str, pl.Schema]]
    # Tables that are too long for JSON.
    LONG: ClassVar[frozenset[str]] = frozenset()
    DIGITS: ClassVar[int] = 4

    settings: Settings
    tables: Mapping[str, pl.DataFrame]
    potencies: tuple[Potency, ...] = ()
    quality: pl.DataFrame
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        tables = MappingProxyType({**self.tables, "findings": findings_table(self.findings)})
        object.__setattr__(self, "tables", tables)

    def __getattr__(self, name: str) -> pl.DataFrame:
        tables: Mapping[str, pl.DataFrame] = self.__dict__.get("tables", {})
        if name in tables:
            return tables[name]
        known = nearest(name, [*tables, *(one.name for one in fields(self))])
        raise AttributeError(f"a result of {self.ASSAY} has no {name}{known}")

    @property
    def refused(self) -> bool:
        """Whether something asked for was not computed."""
        return any(finding.severity == "refusal" for finding in self.findings)

    def summary(self) -> dict[str, pl.DataFrame]:
        """The tables for people under their titles; the command prints these."""
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """What this assay says beside the six parts, as plain values."""
        return {}

    def files(self) -> dict[str, pl.DataFrame]:
        """The tables by the names of their files, as `--out` writes them."""
        quality = {"quality": self.quality} if self.quality.height else {}
        return {**self.tables, **quality}

    def labelled(self) -> list[dict[str, Any]]:
        """The potencies with what they belong to, a row each; the table of that name, where there is one."""
        return self.tables["potencies"].to_dicts() if "potencies" in self.tables else []

    def as_dict(self) -> dict[str, Any]:
        """Everything by name as plain values, for `--json`."""
        return {
            "assay": self.ASSAY,
            "settings": asdict(self.settings),
            **self.about(),
            "tables": {name: self.tables[name].to_dicts() for name in self.SCHEMAS if name not in self.LONG},
            "potencies": self.labelled(),
            "quality": self.quality.to_dicts(),
            "findings": self.tables["findings"].to_dicts(),
        }

    def plot(self) -> Any:
        """The figure of this assay as an Altair chart, which notebooks show and `save` writes."""
        return pkgutil.resolve_name(FIGURE)(self)

    def to_pandas(self) -> dict[str, Any]:
        """Every table as a pandas frame.   Raises EnvironmentProblemError GP-N090 without pandas."""
        return as_pandas(self.tables)

    def __repr__(self) -> str:
        counts = {name: sum(f.severity == name for f in self.findings) for name in ("refusal", "warning")}
        said = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
        parts = [f"{len(self.potencies)} potencies", *said, "tables " + ", ".join(self.tables)]
        return f"<{self.ASSAY}: {'; '.join(parts)}>"

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(repr(self))}</b></p>"]
        for title, table in self.summary().items():
            parts += [f"<p>{escape(title)}</p>", table.head(SHOWN)._repr_html_()]
        parts += [f"<p>{escape(finding.text())}</p>" for finding in self.findings]
        return "\n".join(parts)


def with_common(schemas: Mapping[str, pl.Schema]) -> Mapping[str, pl.Schema]:
    """The tables of an assay, and those that every assay has."""
    return MappingProxyType({**schemas, "suspects": SUSPECTS, "excluded": EXCLUDED})


def tables_of(
    schemas: Mapping[str, pl.Schema], rows: Mapping[str, pl.DataFrame | Iterable[Mapping[str, Any]]]
) -> dict[str, pl.DataFrame]:
    """The tables of a result: rows under the columns of their schemas, what a row lacks is null.

    A table is taken as it is, with its own further columns after those of the schema.
    """
    return {name: _table(schemas[name], given) for name, given in rows.items()}


def _table(schema: pl.Schema, given: pl.DataFrame | Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    if isinstance(given, pl.DataFrame):
        return given
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in given], schema=schema)
