"""Structures of a model of pharmacokinetics: which parameters each has, and who reads them."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "ABSORPTION",
    "CONDUCT",
    "DISPOSITION",
    "INPUT_RATE",
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
# Where doses go: an amount in mg, or with zero-order absorption a rate in mg/h that is switched on and off.
USUAL_TARGET = "glue_gut"
INPUT_RATE = "glue_input_mg_per_h"


def engine_names(absorption: str, compartments: int) -> tuple[str, ...]:
    """Parameters that the model reads."""
    name, in_the_model = ABSORPTION[absorption]
    return (*((name,) if in_the_model else ()), *DISPOSITION[compartments])


def conduct_names(absorption: str) -> tuple[str, ...]:
    """Parameters that are read when a dose is given."""
    name, in_the_model = ABSORPTION[absorption]
    return (*CONDUCT, *(() if in_the_model else (name,)))
