"""Typical code of a user, which type checkers read and nobody runs (`make types`)."""

from __future__ import annotations

from typing import assert_type

import polars as pl

import glueprint as gp
from glueprint.curves import Fits, PooledPotency
from glueprint.evidence import Claims
from glueprint.mechanism import Compound
from glueprint.study import Study, StudyResult
from glueprint.survival import Cox, KaplanMeier, LogRank
from glueprint.trials import Protocol, Sweep, TrialResult

assert_type(gp.__version__, str)
assert_type(gp.load_evidence(), Claims)
assert_type(gp.load_compound("pomalidomide"), Compound)
assert_type(gp.load_protocol("mm003"), Protocol)
assert_type(gp.load_study("pomalidomide"), Study)
assert_type(gp.fit("4pl", [0.0, 1.0], [1.0, 0.5]), Fits)
assert_type(gp.pool_potencies([]), PooledPotency)
assert_type(gp.kaplan_meier([1.0], [1]), KaplanMeier)
assert_type(gp.log_rank([1.0, 2.0], [1, 1], [0, 1]), LogRank)
assert_type(gp.cox([1.0, 2.0], [1, 1], [[0.0], [1.0]]), Cox)
assert_type(gp.run_trial("mm003", 3, 1), TrialResult)
assert_type(gp.run_trial("mm003").overview(), pl.DataFrame)
assert_type(gp.sweep_trial(gp.load_protocol("mm003"), [], arm="A"), Sweep)
assert_type(gp.run_study("pomalidomide", "out"), StudyResult)
