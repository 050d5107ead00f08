"""Quality of what was measured, one layer under all assays; nothing here removes a well by itself."""

from __future__ import annotations

from glueprint.assays.quality.inspection import Inspection, inspect
from glueprint.assays.quality.windows import robust_z_prime, ssmd, z_prime

__all__ = ["Inspection", "inspect", "robust_z_prime", "ssmd", "z_prime"]
