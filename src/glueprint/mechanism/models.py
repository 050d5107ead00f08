"""Models by name: Antimony modules filled from the parameter table, alone or as the whole trial model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glueprint import engine
from glueprint.errors import InputError, nearest
from glueprint.mechanism import parameters
from glueprint.mechanism.compounds import CELL_SUBSTRATES, Compound

__all__ = ["MODULES", "names", "source", "split", "trial"]

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")  # not the exponent of 1e-12
KEYWORDS = {"species", "exp", "ln", "time"}
# Names that mean the same in every module; all others take the prefix of their part.
SHARED = {"occupancy", "ikzf1_progenitor", "gcsf_fold"}
# What a module reads from its neighbours, with its value when the module stands alone, untreated.
NEIGHBOURS = {
    "free_nm": 0.0,
    "occupancy": 0.0,
    "ikzf1_myeloma": 1.0,
    "ikzf3_myeloma": 1.0,
    "ikzf1_tcell": 1.0,
    "ikzf3_tcell": 1.0,
    "ikzf1_progenitor": 1.0,
    "dex_effect": 0.0,
    "immune_activation": 0.0,
    "m_protein_relative": 1.0,
    "anc_1e9_per_l": 3.44,
}


@dataclass(frozen=True)
class Part:
    """One module in its place: names get `prefix`, except the shared and the renamed ones."""

    module: str
    prefix: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> str:
        """The module's statements with the names they have in the whole model."""
        lines = []
        for line in _text(self.module).splitlines():
            code, mark, comment = line.partition("//")
            if code.strip() == "end" or code.startswith("model "):
                continue
            lines.append(WORD.sub(self._name, code) + mark + comment)
        return "\n".join(lines)

    def _name(self, match: re.Match[str]) -> str:
        word = match.group()
        if word in self.rename:
            return self.rename[word]
        return word if word in KEYWORDS | SHARED else self.prefix + word


def _degradation(name: str) -> Part:
    return Part("degradation", f"{name}_", {"substrate": name})


def _marrow(lineage: str, circulating: str, baseline: str) -> Part:
    return Part("marrow", f"{lineage}_", {"circulating": circulating, "baseline": baseline})


NEUTROPHILS = _marrow("neutrophil", "anc_1e9_per_l", "anc0_1e9_per_l")
PLATELETS = _marrow("platelet", "platelets_1e9_per_l", "platelets0_1e9_per_l")
MODULES: Mapping[str, tuple[Part, ...]] = {
    "pk": (Part("pk"),),
    "degradation": (Part("cereblon"), _degradation("ikzf1_myeloma")),
    "neutrophils": (NEUTROPHILS,),
    "platelets": (PLATELETS,),
    "dexamethasone": (Part("dexamethasone"),),
    "immune": (Part("immune"),),
    "tumour": (Part("tumour"),),
    "haemoglobin": (Part("load"), Part("haemoglobin")),
    "hazards": (Part("load"), Part("hazards")),
    "trial": (
        Part("pk"),
        Part("cereblon"),
        *(_degradation(name) for name in CELL_SUBSTRATES),
        NEUTROPHILS,
        PLATELETS,
        Part("dexamethasone"),
        Part("immune"),
        Part("tumour"),
        Part("load"),
        Part("haemoglobin"),
        Part("hazards"),
    ),
}


def names() -> tuple[str, ...]:
    """Names that `source` knows."""
    return tuple(MODULES)


def source(name: str, compound: str | Path | Compound = "pomalidomide") -> str:
    """The Antimony text of a model with all its parameters, time in hours.

    name: one of `names()`; "trial" is the whole, the others are its modules, each runnable alone.
    Raises InputError GP-M007 for an unknown name, and what `parameters.typical` raises.
    """
    if name not in MODULES:
        raise InputError(
            "GP-M007",
            f'unknown model "{name}"{nearest(name, MODULES)}',
            expected=f"one of {', '.join(MODULES)}",
            next_step="correct the name",
        )
    bodies = [part.body() for part in MODULES[name]]
    statements = "\n".join(line.partition("//")[0] for body in bodies for line in body.splitlines())
    values = NEIGHBOURS | parameters.typical(compound)
    defined = _defined(statements)
    used = [word for word in dict.fromkeys(WORD.findall(statements)) if word not in defined]
    given = "\n".join(f"  {word} = {values[word]!r};" for word in used if word in values)
    return f"model {name}\n" + "\n\n".join(bodies) + f"\n\n{given}\nend\n"


def trial(compound: str | Path | Compound = "pomalidomide") -> engine.Model:
    """The trial model of a compound, compiled. Doses go to `pom_gut` and `dex_depot`, in mg."""
    return engine.compile(source("trial", compound))


def split(
    model: engine.Model, values: Mapping[str, NDArray[np.float64]]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """`parameters.individual` parted into (parameters, initial) for `model.ensemble`."""
    species = set(model.species)
    chosen = {name: array for name, array in values.items() if name not in species}
    return chosen, {name: array for name, array in values.items() if name in species}


def _defined(statements: str) -> set[str]:
    """Species and assigned names: what must not be given a value as a parameter."""
    species = {word for line in re.findall(r"species ([^;]+);", statements) for word in WORD.findall(line)}
    return species | set(re.findall(r"(\w+) :=", statements))


def _text(module: str) -> str:
    return (files("glueprint.mechanism") / "modules" / f"{module}.ant").read_text(encoding="utf-8")
