"""A virtual trial as analysis datasets of CDISC, in files that statisticians exchange, and back."""

from glueprint.trials.cdisc.adam import datasets
from glueprint.trials.cdisc.datasets import Dataset, Variable
from glueprint.trials.cdisc.files import FORMATS, read, write

__all__ = ["FORMATS", "Dataset", "Variable", "datasets", "read", "write"]
