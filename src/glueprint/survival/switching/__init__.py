"""Patients who change treatment: survival as it would have been without that."""

from glueprint.survival.switching.crossover import Crossover, crossover
from glueprint.survival.switching.ipcw import Ipcw, ipcw
from glueprint.survival.switching.rpsft import Rpsft, rpsft
from glueprint.survival.switching.two_stage import TwoStage, two_stage

__all__ = ["Crossover", "Ipcw", "Rpsft", "TwoStage", "crossover", "ipcw", "rpsft", "two_stage"]
