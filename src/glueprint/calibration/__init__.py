"""Setting parameters from published numbers: what may be used, how far it counts, and how well it is met.

A number that a parameter was set with is called calibrated, never predicted.
"""

from glueprint.calibration import clinical, compound, in_vitro, prediction, prognosis
from glueprint.calibration.excluded import Excluded
from glueprint.calibration.in_vitro import Assay, PooledKd, pool, pooled_kd
from glueprint.calibration.observed import LEAST_REPLICATES, read_observed
from glueprint.calibration.score import Score, Scored, score
from glueprint.calibration.targets import Target, Targets, clinical_targets

__all__ = [
    "LEAST_REPLICATES",
    "Assay",
    "Excluded",
    "PooledKd",
    "Score",
    "Scored",
    "Target",
    "Targets",
    "clinical",
    "clinical_targets",
    "compound",
    "in_vitro",
    "pool",
    "pooled_kd",
    "prediction",
    "prognosis",
    "read_observed",
    "score",
]
