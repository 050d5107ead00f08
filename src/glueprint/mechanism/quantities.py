"""What a number of the model must say about itself, and how a TOML file of them is read and refused."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from glueprint.errors import InputError, nearest
from glueprint.units import is_known

__all__ = ["Covariance", "CovariateEffect", "Frozen", "Quantity", "read_toml", "validate"]


class Frozen(BaseModel):
    """Base of what is read from TOML: immutable, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Quantity(Frozen):
    """One parameter: typical value, unit, spread between patients, role and source.

    variability: "lognormal" (omega2 is the variance of the log), "logit" (of the logit) or "none".
    evidence: ids of the evidence room.   why: needed where the role is "assumed".
    """

    typical: float
    unit: str
    role: Literal["input", "calibrated", "assumed"]
    evidence: tuple[str, ...] = ()
    why: str = ""
    variability: Literal["lognormal", "logit", "none"] = "none"
    omega2: float = 0.0

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Quantity:
        if self.role == "assumed" and not self.why:
            raise ValueError('an assumed value needs "why"')
        if self.role != "assumed" and not self.evidence:
            raise ValueError(
                f'role "{self.role}" needs at least one evidence id, or role = "assumed" and "why"'
            )
        if not is_known(self.unit):
            raise ValueError(
                f'unit "{self.unit}" is not known; write it like nM, 1/h, L/h, ng/mL or dimensionless'
            )
        if (self.variability == "none") != (self.omega2 == 0.0) or self.omega2 < 0:
            raise ValueError(
                'omega2 > 0 belongs with variability = "lognormal" or "logit", and 0 with "none"'
            )
        return self


class Covariance(Frozen):
    """Covariance of two random effects on the scale of their variabilities."""

    between: tuple[str, str]
    value: float
    evidence: tuple[str, ...]


class CovariateEffect(Frozen):
    """A covariate on a parameter: (x/reference)^coefficient, or 1 + coefficient (x - reference)."""

    parameter: str
    covariate: Literal["sex_female", "weight_kg", "total_protein_g_per_l", "age_y"]
    form: Literal["power", "linear"]
    coefficient: float
    reference: float
    evidence: tuple[str, ...]


Model = TypeVar("Model", bound=Frozen)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises InputError GP-M002 if it cannot be read, GP-M003 if it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "GP-M002",
            f"cannot be read: {error}",
            where=str(path),
            expected="a readable text file",
            next_step="check the path and its permissions",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            "GP-M003",
            f"is not valid TOML: {error}",
            where=str(path),
            expected="TOML 1.0",
            next_step="correct the line named above; glueprint's own pomalidomide.toml is a working example",
        ) from error


def validate(kind: type[Model], content: Mapping[str, Any], where: str) -> Model:
    """`content` as a frozen `kind`.

    Raises InputError GP-M004 naming the first bad field, what is allowed and the nearest name.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        message, expected = _explain(kind, first)
        more = f" ({error.error_count() - 1} more after this one)" if error.error_count() > 1 else ""
        raise InputError(
            "GP-M004",
            f"{field}: {message}{more}",
            where=where,
            expected=expected,
            next_step="correct this field; docs/mechanism.md shows a whole compound file",
        ) from error


def _explain(kind: type[Frozen], first: Any) -> tuple[str, str]:
    loc, problem = first["loc"], first["type"]
    allowed = _fields_at(kind, loc[:-1])
    if problem == "extra_forbidden":
        return f'unknown field "{loc[-1]}"{nearest(str(loc[-1]), allowed)}', "one of " + ", ".join(allowed)
    if problem == "missing":
        return "is missing", f"this field among {', '.join(allowed)}"
    if problem == "literal_error":
        words = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return (
            f'"{first["input"]}" is not allowed{nearest(str(first["input"]), words)}',
            "one of " + ", ".join(words),
        )
    return f"{first['msg'].removeprefix('Value error, ')}", f"a valid value in place of {first['input']!r}"[
        :200
    ]


def _fields_at(kind: type[Frozen], loc: Iterable[str | int]) -> list[str]:
    """Names of the fields of the table at `loc`; of a quantity where the way cannot be followed."""
    fields = kind.model_fields
    for part in loc:
        if isinstance(part, int) or part not in fields:
            continue
        inner = [
            a for a in _arguments(fields[part].annotation) if isinstance(a, type) and issubclass(a, BaseModel)
        ]
        if not inner:
            return []
        fields = inner[0].model_fields
    return list(fields)


def _arguments(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(leaf for part in inner for leaf in _arguments(part))]
