"""Survival analysis as array kernels: arrays in, frozen results out."""

from glueprint.survival.analysis import Analysis, analyse
from glueprint.survival.binomial import Proportion, clopper_pearson
from glueprint.survival.columns import Request
from glueprint.survival.competing import CumulativeIncidence, cumulative_incidence
from glueprint.survival.cox import ChiSquare, Cox, cox
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.log_rank import LogRank, log_rank
from glueprint.survival.replicates import (
    ReplicateCox,
    ReplicateLogRank,
    replicate_cox,
    replicate_log_rank,
    replicate_median,
)
from glueprint.survival.rmst import RestrictedMean, rmst
from glueprint.survival.turnbull import Turnbull, turnbull

__all__ = [
    "Analysis",
    "ChiSquare",
    "Cox",
    "CumulativeIncidence",
    "KaplanMeier",
    "LogRank",
    "Proportion",
    "ReplicateCox",
    "ReplicateLogRank",
    "Request",
    "RestrictedMean",
    "Turnbull",
    "analyse",
    "clopper_pearson",
    "cox",
    "cumulative_incidence",
    "kaplan_meier",
    "log_rank",
    "replicate_cox",
    "replicate_log_rank",
    "replicate_median",
    "rmst",
    "turnbull",
]
