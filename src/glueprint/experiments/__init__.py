"""Experiments: a mechanism run through a lab's protocol and read the way a lab reads it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from glueprint.errors import InputError, nearest
from glueprint.experiments import (
    angiogenesis,
    crbn_loss,
    degradation,
    enantiomers,
    facts,
    forward,
    fp_competition,
    il2_ifn,
    irf4_time_course,
    neosubstrate_competition,
    nk_killing,
    proliferation,
    tnf_alpha,
    treg,
)
from glueprint.experiments.cultures import LPS, TOGETHER, Culture, grow
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.settings import at_least
from glueprint.mechanism import Scenario, compounds, models

__all__ = [
    "LPS",
    "Culture",
    "Experiment",
    "Panel",
    "Reading",
    "as_in_a_lab",
    "available",
    "facts",
    "forward",
    "grow",
    "parameters_of",
    "run",
    "settings_of",
    "title",
]

MODULES: tuple[ModuleType, ...] = (
    fp_competition, degradation, enantiomers, neosubstrate_competition, proliferation, irf4_time_course,
    crbn_loss, tnf_alpha, il2_ifn, nk_killing, treg, angiogenesis,
)  # fmt: skip
# Not settings of a person: the compound comes first, and single parameters are settings by their own names.
APART = ("compound", "parameters")
# What the protocol of an experiment sets itself.
OF_THE_PROTOCOL = ("dose_nm", "wash_per_h", "lps")
# Error and replicates of a usual bench, where a person asks for it: own choice, by the kind of read-out.
USUAL = MappingProxyType({"noise_percent": 8.0, "replicates": 3})
BENCH: Mapping[str, Mapping[str, float]] = {
    "fp_competition": {"noise_percent": 0.4, "replicates": 3},
    "degradation": {"noise_percent": 12.0, "replicates": 3},
    "tnf_alpha": {"noise_percent": 4.0, "replicates": 3, "donors": 4, "donor_log10_sd": 0.15},
}


@dataclass(frozen=True)
class Entry:
    """An experiment as the list knows it."""

    title: str
    function: Callable[..., Experiment]
    cultures: tuple[str, ...]


EXPERIMENTS: Mapping[str, Entry] = MappingProxyType(
    {m.__name__.rpartition(".")[2]: Entry(m.TITLE, m.run, m.CULTURES) for m in MODULES}
)


def available() -> tuple[str, ...]:
    """The names of the experiments."""
    return tuple(EXPERIMENTS)


def title(name: str) -> str:
    """What an experiment is, in one line.   Raises InputError GP-L001 for an unknown name."""
    return _find(name).title


def settings_of(name: str) -> dict[str, Any]:
    """The settings of an experiment with their defaults.   Raises InputError GP-L001 for an unknown name."""
    parameters = inspect.signature(_find(name).function).parameters
    return {key: value.default for key, value in parameters.items() if key not in APART}


@lru_cache(maxsize=32)
def parameters_of(name: str) -> tuple[str, ...]:
    """Parameters of the experiment's models that `run` takes as settings, too.

    Raises InputError GP-L001 for an unknown name.
    """
    found = {word for culture in _find(name).cultures for word in models.quantities(culture, Scenario.of())}
    return tuple(sorted((found | (set(TOGETHER) if found else set())) - set(OF_THE_PROTOCOL)))


def as_in_a_lab(name: str) -> dict[str, float]:
    """Settings with the measurement error, replicates and donors of a usual bench, so that readings get
    intervals.

    Raises InputError GP-L001 for an unknown name.
    """
    _find(name)
    return dict(BENCH.get(name, USUAL))


def run(name: str, compound: str | Path = compounds.REFERENCE, **settings: Any) -> Experiment:
    """Run an experiment on a compound.

    name: one of `available()`.   compound: built-in name or TOML path.   settings: see `settings_of`, and any
    of `parameters_of` as a number.
    Returns `Experiment`: raw table, readings with labels and claim ids, assumptions, panels, parameters.
    Raises InputError GP-L001 (experiment), GP-L004 (setting), and what the experiment and `compounds.load`
    raise.
    """
    entry, known = _find(name), settings_of(name)
    own, single = {}, {}
    for key, value in settings.items():
        if key in known:
            own[key] = value
        elif key in parameters_of(name):
            single[key] = at_least(key, value, 0.0)
        else:
            raise _unknown(name, key)
    if single:
        own["parameters"] = single
    found = entry.function(compound, **own)
    return replace(found, settings={**known, **settings, **found.settings})


def _unknown(name: str, key: str) -> InputError:
    known = settings_of(name)
    return InputError(
        "GP-L004",
        f'{name} has no setting "{key}"{nearest(key, (*known, *parameters_of(name)))}',
        where=f"experiment {name}",
        expected="one of "
        + ", ".join(known)
        + (", or a parameter of its model" if parameters_of(name) else ""),
        next_step="leave it out or correct its name; `experiments.parameters_of` names the parameters",
    )


def _find(name: str) -> Entry:
    if name not in EXPERIMENTS:
        raise InputError(
            "GP-L001",
            f'no experiment "{name}"{nearest(name, EXPERIMENTS)}',
            expected="one of " + ", ".join(EXPERIMENTS),
            next_step="list them with `experiments.available()`",
        )
    return EXPERIMENTS[name]
