"""Experiments: a mechanism run through a lab's protocol and read the way a lab reads it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glueprint.errors import InputError, nearest
from glueprint.experiments import degradation, fp_competition, tnf_alpha
from glueprint.experiments.experiment import Experiment, Reading

__all__ = ["Experiment", "Reading", "available", "run", "settings_of", "title"]

EXPERIMENTS: Mapping[str, tuple[str, Callable[..., Experiment]]] = {
    "degradation": (degradation.TITLE, degradation.run),
    "fp_competition": (fp_competition.TITLE, fp_competition.run),
    "tnf_alpha": (tnf_alpha.TITLE, tnf_alpha.run),
}


def available() -> tuple[str, ...]:
    """The names of the experiments."""
    return tuple(EXPERIMENTS)


def title(name: str) -> str:
    """What an experiment is, in one line.   Raises InputError GP-L001 for an unknown name."""
    return _find(name)[0]


def settings_of(name: str) -> dict[str, Any]:
    """The settings of an experiment with their defaults.   Raises InputError GP-L001 for an unknown name."""
    parameters = inspect.signature(_find(name)[1]).parameters
    return {key: value.default for key, value in parameters.items() if key != "compound"}


def run(name: str, compound: str | Path = "pomalidomide", **settings: Any) -> Experiment:
    """Run an experiment on a compound.

    name: one of `available()`.   compound: built-in name or TOML path.   settings: see `settings_of`.
    Returns `Experiment`: raw table, readings with labels and claim ids, assumptions.
    Raises InputError GP-L001 (experiment), GP-L004 (setting), and what the experiment and `compounds.load`
    raise.
    """
    _, function = _find(name)
    known = settings_of(name)
    for key in settings:
        if key not in known:
            raise InputError(
                "GP-L004",
                f'{name} has no setting "{key}"{nearest(key, known)}',
                where=f"experiment {name}",
                expected="one of " + ", ".join(known),
                next_step="leave it out or correct its name",
            )
    return function(compound, **settings)


def _find(name: str) -> tuple[str, Callable[..., Experiment]]:
    if name not in EXPERIMENTS:
        raise InputError(
            "GP-L001",
            f'no experiment "{name}"{nearest(name, EXPERIMENTS)}',
            expected="one of " + ", ".join(EXPERIMENTS),
            next_step="list them with `experiments.available()`",
        )
    return EXPERIMENTS[name]
