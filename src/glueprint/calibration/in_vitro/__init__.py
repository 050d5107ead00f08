"""What the published in-vitro numbers together say: one Kd, and a posterior of all parameters behind them."""

from glueprint.calibration.in_vitro.claims import uses
from glueprint.calibration.in_vitro.fitting import QUICK_STEPS, STEPS, fit
from glueprint.calibration.in_vitro.leaving_out import (
    LEFT_OUT,
    guide_claims,
    leave_each_out,
    left_out,
    save_left_out,
)
from glueprint.calibration.in_vitro.pooling import Assay, PooledKd, pool, pooled_kd
from glueprint.calibration.in_vitro.predictions import Predictive, spoken_of
from glueprint.calibration.in_vitro.recomputing import recomputed
from glueprint.calibration.in_vitro.result import InVitroPosterior
from glueprint.calibration.in_vitro.stored import load, posterior, save

__all__ = [
    "LEFT_OUT",
    "QUICK_STEPS",
    "STEPS",
    "Assay",
    "InVitroPosterior",
    "PooledKd",
    "Predictive",
    "fit",
    "guide_claims",
    "leave_each_out",
    "left_out",
    "load",
    "pool",
    "pooled_kd",
    "posterior",
    "predictive",
    "recomputed",
    "save",
    "save_left_out",
    "spoken_of",
    "uses",
]


def predictive(claim_id: str) -> Predictive:
    """The shipped posterior's prediction for one claim.   Raises InputError GP-K006 for an unknown one."""
    return posterior().predictive(claim_id)
