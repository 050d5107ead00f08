"""The one door before all assays: what a file holds, what it means, and where every row of it goes."""

from glueprint.assays.intake import meaning
from glueprint.assays.intake.labels import is_vehicle, role_of
from glueprint.assays.intake.meaning import RESPONSES, Response
from glueprint.assays.intake.numbers import number
from glueprint.assays.intake.tables import Canonical, canonical

__all__ = ["RESPONSES", "Canonical", "Response", "canonical", "is_vehicle", "meaning", "number", "role_of"]
