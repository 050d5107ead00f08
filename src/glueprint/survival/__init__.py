"""Survival analysis as array kernels: arrays in, frozen results out."""

from glueprint.survival.analysis import Analysis, analyse
from glueprint.survival.binomial import Proportion, clopper_pearson
from glueprint.survival.bootstrap import Bootstrap, bootstrap
from glueprint.survival.competing import CumulativeIncidence, cumulative_incidence
from glueprint.survival.cox import ChiSquare, Cox, cox
from glueprint.survival.cox_baseline import CoxCurve, baseline_hazard
from glueprint.survival.cox_residuals import CoxResiduals, cox_residuals
from glueprint.survival.design import Assumptions, Behaviour, Plan, behaviour, plan
from glueprint.survival.differences import (
    Contrast,
    MilestoneDifference,
    RestrictedMeanDifference,
    milestone_difference,
    rmst_difference,
)
from glueprint.survival.fine_gray import FineGray, fine_gray
from glueprint.survival.gray import Gray, gray
from glueprint.survival.group_sequential import SPENDING, Boundaries, group_sequential
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.log_rank import LogRank, log_rank
from glueprint.survival.monitoring import Look, SpendingPlan
from glueprint.survival.nelson_aalen import NelsonAalen, nelson_aalen
from glueprint.survival.parametric import Parametric, parametric, parametric_between
from glueprint.survival.pfs import EMA, FDA, Pfs, PfsRule, pfs, pfs_table
from glueprint.survival.proportional_hazards import ProportionalHazards, proportional_hazards
from glueprint.survival.reconstruct import Reconstruction, reconstruct
from glueprint.survival.replicates import (
    ReplicateCox,
    ReplicateLogRank,
    replicate_cox,
    replicate_log_rank,
    replicate_median,
)
from glueprint.survival.request import Request
from glueprint.survival.rmst import RestrictedMean, rmst
from glueprint.survival.spline import Spline, royston_parmar
from glueprint.survival.switching import (
    Crossover,
    Ipcw,
    Rpsft,
    TwoStage,
    crossover,
    ipcw,
    rpsft,
    two_stage,
)
from glueprint.survival.turnbull import Turnbull, turnbull
from glueprint.survival.weighted import (
    MaxCombo,
    Trend,
    WeightedLogRank,
    fleming_harrington,
    log_rank_trend,
    max_combo,
)

__all__ = [
    "EMA",
    "FDA",
    "SPENDING",
    "Analysis",
    "Assumptions",
    "Behaviour",
    "Bootstrap",
    "Boundaries",
    "ChiSquare",
    "Contrast",
    "Cox",
    "CoxCurve",
    "CoxResiduals",
    "Crossover",
    "CumulativeIncidence",
    "FineGray",
    "Gray",
    "Ipcw",
    "KaplanMeier",
    "LogRank",
    "Look",
    "MaxCombo",
    "MilestoneDifference",
    "NelsonAalen",
    "Parametric",
    "Pfs",
    "PfsRule",
    "Plan",
    "Proportion",
    "ProportionalHazards",
    "Reconstruction",
    "ReplicateCox",
    "ReplicateLogRank",
    "Request",
    "RestrictedMean",
    "RestrictedMeanDifference",
    "Rpsft",
    "SpendingPlan",
    "Spline",
    "Trend",
    "Turnbull",
    "TwoStage",
    "WeightedLogRank",
    "analyse",
    "baseline_hazard",
    "behaviour",
    "bootstrap",
    "clopper_pearson",
    "cox",
    "cox_residuals",
    "crossover",
    "cumulative_incidence",
    "fine_gray",
    "fleming_harrington",
    "gray",
    "group_sequential",
    "ipcw",
    "kaplan_meier",
    "log_rank",
    "log_rank_trend",
    "max_combo",
    "milestone_difference",
    "nelson_aalen",
    "parametric",
    "parametric_between",
    "pfs",
    "pfs_table",
    "plan",
    "proportional_hazards",
    "reconstruct",
    "replicate_cox",
    "replicate_log_rank",
    "replicate_median",
    "rmst",
    "rmst_difference",
    "royston_parmar",
    "rpsft",
    "turnbull",
    "two_stage",
]
