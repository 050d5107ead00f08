"""Survival analysis as array kernels: arrays in, frozen results out."""

from glueprint.survival.analysis import Analysis, analyse
from glueprint.survival.binomial import Proportion, clopper_pearson
from glueprint.survival.columns import Request
from glueprint.survival.competing import CumulativeIncidence, cumulative_incidence
from glueprint.survival.cox import ChiSquare, Cox, cox
from glueprint.survival.cox_baseline import CoxCurve, baseline_hazard
from glueprint.survival.cox_residuals import CoxResiduals, cox_residuals
from glueprint.survival.design import Assumptions, Behaviour, Plan, behaviour, plan
from glueprint.survival.group_sequential import SPENDING, Boundaries, group_sequential
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.log_rank import LogRank, log_rank
from glueprint.survival.nelson_aalen import NelsonAalen, nelson_aalen
from glueprint.survival.proportional_hazards import ProportionalHazards, proportional_hazards
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
    "SPENDING",
    "Analysis",
    "Assumptions",
    "Behaviour",
    "Boundaries",
    "ChiSquare",
    "Cox",
    "CoxCurve",
    "CoxResiduals",
    "CumulativeIncidence",
    "KaplanMeier",
    "LogRank",
    "NelsonAalen",
    "Plan",
    "Proportion",
    "ProportionalHazards",
    "ReplicateCox",
    "ReplicateLogRank",
    "Request",
    "RestrictedMean",
    "Turnbull",
    "analyse",
    "baseline_hazard",
    "behaviour",
    "clopper_pearson",
    "cox",
    "cox_residuals",
    "cumulative_incidence",
    "group_sequential",
    "kaplan_meier",
    "log_rank",
    "nelson_aalen",
    "plan",
    "proportional_hazards",
    "replicate_cox",
    "replicate_log_rank",
    "replicate_median",
    "rmst",
    "turnbull",
]
