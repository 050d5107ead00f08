"""Structures of a model of pharmacokinetics: which parameters each has, and who reads them."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "ABSORPTION",
    "CONDUCT",
    "DISPOSITION",
    "HOURLY",
    "USUAL_TARGET",
    "Absorption",
    "conduct_names",
    "engine_names",
]

Absorption = Literal["first-order", "zero-order", "transit"]

# Absorption -> the field that it needs, and whether the model (or else the conduct of a trial) reads it.
ABSORPTION: dict[str, tuple[str, bool]] = {
    "first-order": ("absorption_per_h", True),
    "zero-order": ("absorption_h", False),
    "transit": ("mean_transit_h", True),
}
# Number of compartments -> what elimination and distribution need.
DISPOSITION: dict[int, tuple[str, ...]] = {
    1: ("clearance_l_per_h", "central_l"),
    2: ("clearance_l_per_h", "central_l", "intercompartment_l_per_h", "peripheral_l"),
}
# Read when a dose is given, whatever the structure.
CONDUCT = ("lag_h", "bioavailability")
# Where doses go: an amount in mg, or with zero-order absorption what is absorbed in each hour, in mg, which
# is switched on and off. As an amount it is a species that SBML allows, where a rate is not.
USUAL_TARGET = "glue_gut"
HOURLY = "glue_hourly"


def engine_names(absorption: str, compartments: int) -> tuple[str, ...]:
    """Parameters that the model reads."""
    name, in_the_model = ABSORPTION[absorption]
    return (*((name,) if in_the_model else ()), *DISPOSITION[compartments])


def conduct_names(absorption: str) -> tuple[str, ...]:
    """Parameters that are read when a dose is given."""
    name, in_the_model = ABSORPTION[absorption]
    return (*CONDUCT, *(() if in_the_model else (name,)))
