"""One compound from its own measurements: a dossier, a joint fit beside a reference, draws for a trial."""

from glueprint.calibration.compound.analyses import measurements
from glueprint.calibration.compound.dossier import Dossier, dossier
from glueprint.calibration.compound.file import compound_of, compound_text
from glueprint.calibration.compound.fitting import fit
from glueprint.calibration.compound.measured import MEASUREMENTS, QUANTITIES, Source
from glueprint.calibration.compound.next_runs import COORDINATES, covariance_of
from glueprint.calibration.compound.posterior import CompoundPosterior
from glueprint.calibration.compound.stored import from_tables, load, save, tables_of
from glueprint.calibration.compound.tables import measured_table
from glueprint.calibration.compound.trial import file_draws, trial_draws

__all__ = [
    "COORDINATES",
    "MEASUREMENTS",
    "QUANTITIES",
    "CompoundPosterior",
    "Dossier",
    "Source",
    "compound_of",
    "compound_text",
    "covariance_of",
    "dossier",
    "file_draws",
    "fit",
    "from_tables",
    "load",
    "measured_table",
    "measurements",
    "save",
    "tables_of",
    "trial_draws",
]
