"""A route as people write it: steps with reactions, yields and conditions, read from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from glueprint.chemistry import structures
from glueprint.chemistry.structures import Structure
from glueprint.documents import Codes, Document, read, validate
from glueprint.errors import InputError

__all__ = ["CODES", "NOT_STATED", "Addition", "Route", "Step", "read_routes"]

CODES = Codes(
    unreadable="GP-H008",
    syntax="GP-H005",
    header="GP-H012",
    field="GP-H005",
    help="docs/chemistry.md shows a route file",
)
NOT_STATED = "not stated"

Moles = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


def _possible(percent: float | None) -> float | None:
    if percent is not None and not 0.0 < percent <= 100.0:
        raise PydanticCustomError(
            "GP-H006",
            "a yield of {percent} % cannot be",
            {
                "percent": f"{percent:g}",
                "expected": "a yield above 0 and up to 100 percent",
                "next_step": "correct the number; mass above 100 percent is solvent, salt or another product",
            },
        )
    return percent


class _WithYield(Document):
    @field_validator(
        "yield_percent", "overall_yield_percent", "purity_percent", mode="after", check_fields=False
    )
    @classmethod
    def _yield_is_possible(cls, value: float | None) -> float | None:
        return _possible(value)

    @field_validator("yield_range_percent", "overall_yield_range_percent", mode="after", check_fields=False)
    @classmethod
    def _range_is_possible(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        for end in value or ():
            _possible(end)
        if value is not None and value[0] > value[1]:
            raise ValueError("the range runs from high to low; write the lower yield first")
        return value


class Addition(Document):
    """What a chemist adds beside the reactants: base, acid, catalyst or another additive.

    equivalents: mol per mol of the first reactant; None: no source states an amount.
    uses: mol of it that react; with `takes_up` (what the step sets free) they become `gives`.
    stays: it stays with the product as its salt.   claim: the evidence row that names it.
    assumed: why it stands here although the route's source does not name it, or not its amount.
    """

    role: Literal["base", "acid", "catalyst", "additive"]
    name: str
    equivalents: Moles | None = None
    uses: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0
    takes_up: Mapping[str, Moles] = {}
    gives: Mapping[str, Moles] = {}
    stays: bool = False
    claim: str = ""
    assumed: str = ""

    @model_validator(mode="after")
    def _there_is_enough(self) -> Addition:
        if self.equivalents is not None and self.equivalents < self.uses:
            raise ValueError(f'{self.equivalents:g} equivalents of "{self.name}", but {self.uses:g} react')
        if self.equivalents is None and self.uses:
            raise ValueError(f'"{self.name}" reacts, so its equivalents are needed')
        return self


class Step(_WithYield):
    """One reaction: `smarts` on `reactants` gives `products`; `consumes`, `releases`: mol per mol product.

    reagents: what the source names beside, out of the balance.
    additions: base, acid, catalyst, as weighed.   isolated_as: the salt that the product is taken as.
    solvent_g_per_g, solvent_ml_per_g: per gram of the first reactant.
    equivalents: of a reactant or consumed material, where more than the stoichiometry is used.
    """

    name: str
    reactants: Annotated[tuple[str, ...], Field(min_length=1)]
    smarts: str
    products: Annotated[tuple[str, ...], Field(min_length=1)]
    consumes: Mapping[str, Moles] = {}
    releases: Mapping[str, Moles] = {}
    reagents: tuple[str, ...] = ()
    additions: tuple[Addition, ...] = ()
    isolated_as: str = ""
    solvent: str = NOT_STATED
    solvent_g_per_g: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    solvent_ml_per_g: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    temperature: str = NOT_STATED
    time: str = NOT_STATED
    work_up: str = NOT_STATED
    purification: str = NOT_STATED
    yield_percent: float | None = None
    yield_range_percent: tuple[float, float] | None = None
    yield_claim: str = ""
    equivalents: Mapping[str, Moles] = {}
    racemises: bool = False
    assumed: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _equivalents_suffice(self) -> Step:
        needed = dict.fromkeys(self.reactants, 1.0) | dict(self.consumes)
        for name, equivalents in self.equivalents.items():
            if name not in needed:
                raise ValueError(f'equivalents are given for "{name}", which the step does not use')
            if equivalents < needed[name]:
                raise ValueError(f'{equivalents:g} equivalents of "{name}", but {needed[name]:g} are used up')
        return self


class Route(_WithYield):
    """Steps to a target; a yield is None where the source states none.

    blocks: the part that a reagent plays (endpoint of an evidence row) -> the reagent.
    structures: compounds of the route's own, name -> SMILES.   claims: evidence rows on the route.
    """

    name: str
    title: str
    target: str
    source: str
    overall_yield_percent: float | None = None
    overall_yield_range_percent: tuple[float, float] | None = None
    yield_claim: str = ""
    purity_percent: float | None = None
    claims: tuple[str, ...] = ()
    assumed: str = ""
    note: str = ""
    blocks: Mapping[str, str] = {}
    structures: Mapping[str, str] = {}
    step: Annotated[tuple[Step, ...], Field(min_length=1)]
    _file: str = PrivateAttr(default="")

    @field_validator("structures", mode="after")
    @classmethod
    def _smiles_can_be_read(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, smiles in value.items():
            try:
                structures.molecule(smiles)
            except InputError as error:
                raise PydanticCustomError(
                    "GP-H002",
                    '"{name}": {message}',
                    {
                        "name": name,
                        "message": error.message,
                        "expected": error.expected,
                        "next_step": error.next_step,
                    },
                ) from error
        return value

    def material(self, name: str) -> Structure:
        """A structure by name: the route's own first, then the built-in ones.

        Raises InputError GP-H001 if there is none.
        """
        if name in self.structures:
            return structures.from_smiles(self.structures[name], name=name, where=self.place())
        try:
            return structures.load(name)
        except InputError as error:
            raise InputError(
                error.code,
                error.message,
                where=self.place(),
                expected="a built-in structure, or one in the route's own [structures] table",
                next_step=f'correct the name, or add structures = {{ "{name}" = "its SMILES" }} to the route',
            ) from error

    def weighed_as(self, name: str) -> str:
        """The name of what is weighed for a material: the salt, where a step takes its product as one."""
        salts = (step.isolated_as for step in self.step if step.isolated_as and name in step.products)
        return next(salts, name)

    def place(self, step: str = "") -> str:
        """Where an error lies: file if read from one, route, step."""
        parts = [self._file, f"route {self.name}", f"step {step}" if step else ""]
        return ", ".join(part for part in parts if part)


class _File(Document):
    kind: Literal["routes"]
    version: Literal[1]
    route: Annotated[tuple[Route, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> _File:
        names = [route.name for route in self.route]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"more than one route is called {', '.join(twice)}")
        return self


def read_routes(path: Path | Traversable, *, name_file: bool = True) -> tuple[Route, ...]:
    """The routes of a TOML file.

    Raises InputError GP-H008 (unreadable), GP-H005 (not TOML, or a bad field), GP-H012 (another kind or
    version), GP-H006 (impossible yield), GP-H002 (unreadable SMILES).
    """
    data: dict[str, Any] = read(path, CODES)
    found = validate(_File, data, CODES, where=str(path)).route
    for route in found if name_file else ():
        route._file = str(path)
    return found
