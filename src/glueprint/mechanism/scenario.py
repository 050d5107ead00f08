"""What is computed, in one value: which glue, in which body or cells, with which numbers replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from glueprint.errors import InputError, nearest
from glueprint.mechanism import compounds, lines
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.lines import Line

__all__ = ["FORMS", "STRUCTURES", "TYPICAL_STRUCTURE", "Scenario", "check_structure"]

# Kill as a sum of terms, and effects of covariates that were set by hand.
_SUMS = ("kill_by_loss", "kill_by_dex", "kill_by_both")
_BY_HAND = (
    "death_ratio_age_65",
    "death_ratio_high_risk",
    "death_ratio_male",
    "progression_ratio_age_65",
    "growth_ratio_high_risk",
    "kill_ratio_high_risk",
)
_SWITCH = ("switch_ikzf50", "switch_hill", "dex_on_irf4")
_DEATH = ("burden_typical_g_per_l", "death_uncovered", "uncovered", "next_line_share", "study_growth_ratio")
_PUBLISHED = (
    *(f"growth_by_{name}" for name in ("lines", "imid_refractory", "pi_refractory")),
    *(f"growth_by_{name}" for name in ("high_risk", "ldh", "extramedullary", "male")),
    *(f"death_by_{name}" for name in ("lines", "high_risk", "stage", "ldh", "performance")),
    *(f"death_by_{name}" for name in ("extramedullary", "age_65", "thrombocytopenia")),
)
# Structure of the tumour -> parameters that not every structure has.
STRUCTURES: Mapping[str, tuple[str, ...]] = {
    "claret": ("resistance_per_d", *_SUMS, *_BY_HAND),
    "two-clone": (
        "resistant_share0",
        "resistant_kill_share",
        "m_protein_clearance_per_d",
        *_SUMS,
        *_BY_HAND,
    ),
    "burden": ("resistance_per_d", "m_protein_clearance_per_d", *_SWITCH, *_DEATH, *_PUBLISHED),
}
# Where no posterior speaks: the file's typical numbers were set for this form; what the others have alone are
# middles of wide priors. A posterior brings its own numbers, and the usual one is of another structure.
TYPICAL_STRUCTURE = "claret"
FORMS = ("reduced", "kinetic")


@dataclass(frozen=True, eq=False)
class Scenario:
    """A glue and all that is chosen beside it; made once where a request comes in, and handed down.

    compound: the glue.   structure: of the tumour, "claret" (resistance grows with the effect), "two-clone"
    (it is there from the start) or "burden" (cells and M-protein apart, hazards by absolute mass).
    overrides: name -> number in the place of a typical value of the trial model; "omega2." and a name is a
    variance between patients.
    line: cells of a culture model, the usual ones if None.   form: of degradation in culture, "reduced"
    (turnover) or "kinetic" (complexes).   medium: one of the compound's media, or None for culture medium;
    in blood and plasma only the compound's free fraction acts.
    Raises InputError GP-M052 for an unknown structure, GP-M030 for an unknown form.
    """

    compound: Compound
    structure: str = TYPICAL_STRUCTURE
    overrides: Mapping[str, float] = field(default_factory=dict)
    line: Line | None = None
    form: str = "reduced"
    medium: str | None = None

    def __post_init__(self) -> None:
        check_structure(self.structure)
        if self.form not in FORMS:
            raise InputError(
                "GP-M030",
                f'unknown form "{self.form}"{nearest(self.form, FORMS)}',
                expected=" or ".join(FORMS),
                next_step="correct the form",
            )
        object.__setattr__(self, "overrides", MappingProxyType(dict(self.overrides)))

    @classmethod
    def of(
        cls,
        compound: str | Path | Compound = compounds.REFERENCE,
        *,
        line: str | Path | Line | None = None,
        **choices: Any,
    ) -> Scenario:
        """A scenario from names, paths or values.

        compound: name of a compound that comes with Glueprint, path of a TOML file, or value.
        line: of a cell line, likewise.   choices: the other fields.
        Raises what `compounds.load` and `lines.load` raise.

        >>> Scenario.of("lenalidomide", structure="two-clone").compound.name
        'lenalidomide'
        """
        cells = line if line is None or isinstance(line, Line) else lines.load(line)
        return cls(compounds.load(compound), line=cells, **choices)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What tells it from other scenarios: two of one key compute the same."""
        cells = self.line.model_dump_json() if self.line else None
        numbers = tuple(sorted(self.overrides.items()))
        about = (self.compound.name, self.compound.digest, self.structure, numbers)
        return (*about, cells, self.form, self.medium)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def with_overrides(self, overrides: Mapping[str, float]) -> Scenario:
        """The same with these numbers in the place of those that it replaces."""
        return replace(self, overrides=overrides)

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view of the overrides cannot be sent to another process.
        parts = (self.compound, self.structure, dict(self.overrides), self.line, self.form, self.medium)
        return type(self), parts


def check_structure(structure: str) -> None:
    """Raise InputError GP-M052 for a structure of the tumour that there is not."""
    if structure not in STRUCTURES:
        raise InputError(
            "GP-M052",
            f'no structure "{structure}" of the tumour{nearest(structure, STRUCTURES)}',
            where="structure",
            expected=" or ".join(f'"{name}"' for name in STRUCTURES),
            next_step="correct the name",
        )
