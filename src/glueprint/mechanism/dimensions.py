"""Units in model text: from the spellings of the tables to unit definitions that libsbml can check."""

from __future__ import annotations

from glueprint.errors import InternalError

__all__ = ["LITERALS", "UNITS", "declarations", "identifier", "unit_of"]

# Spelling in the tables -> (identifier in a model, definition in Antimony). A month is 30.4375 days.
UNITS = {
    "dimensionless": ("dimensionless", ""),
    "h": ("duration_h", "3600 second"),
    "d": ("duration_d", "86400 second"),
    "1/h": ("per_h", "1 / (3600 second)"),
    "1/d": ("per_d", "1 / (86400 second)"),
    "1/month": ("per_month", "1 / (2629800 second)"),
    "h/d": ("h_per_d", "3600 second / (86400 second)"),
    "h/month": ("h_per_month", "3600 second / (2629800 second)"),
    "L": ("litre", ""),
    "dL": ("decilitre", "1e-1 litre"),
    "L/h": ("l_per_h", "litre / (3600 second)"),
    "mg": ("mg", "1e-3 gram"),
    "mg/L": ("mg_per_l", "1e-3 gram / litre"),
    "ug/L": ("ug_per_l", "1e-6 gram / litre"),
    "ng/mL": ("ng_per_ml", "1e-9 gram / (1e-3 litre)"),
    "ng/mL per mg/L": ("ng_per_ug", "1e-9 gram / (1e-6 gram)"),
    "g/L": ("g_per_l", "gram / litre"),
    "g/dL": ("g_per_dl", "gram / (1e-1 litre)"),
    "g/mol": ("g_per_mol", "gram / mole"),
    "1e9/L": ("e9_per_l", "1e9 item / litre"),
    "1e9/L/h": ("e9_per_l_h", "1e9 item / (litre * 3600 second)"),
    "nM": ("nanomolar", "1e-9 mole / litre"),
    "nM per uM": ("nm_per_um", "1e-9 mole / (1e-6 mole)"),
    "nM/h": ("nanomolar_per_h", "1e-9 mole / (litre * 3600 second)"),
    "1/nM/h": ("per_nm_h", "litre / (1e-9 mole * 3600 second)"),
}
# Units that stand behind a number in a module: `24 h_per_d`.
LITERALS = {name: spelling for spelling, (name, _) in UNITS.items()}
# The longest ending that fits says the unit of a name that is in no table: species and assigned quantities.
ENDINGS = {
    "_nm_per_h": "nM/h",
    "_per_nm_h": "1/nM/h",
    "_ng_per_ml": "ng/mL",
    "_mg_per_l": "mg/L",
    "_g_per_l": "g/L",
    "_g_per_dl": "g/dL",
    "_1e9_per_l": "1e9/L",
    "_1e9_per_l_h": "1e9/L/h",
    "_l_per_h": "L/h",
    "_per_month": "1/month",
    "_per_h": "1/h",
    "_per_d": "1/d",
    "_nm": "nM",
    "_mg": "mg",
    "_h": "h",
    "_d": "d",
    "_l": "L",
}


def unit_of(name: str) -> str:
    """The unit that the ending of a name says; dimensionless where it says none."""
    fitting = [ending for ending in ENDINGS if name.endswith(ending)]
    return ENDINGS[max(fitting, key=len)] if fitting else "dimensionless"


def identifier(unit: str) -> str:
    """The identifier of a unit in model text. Raises InternalError GP-M039 for a unit of no model."""
    if unit not in UNITS:
        raise InternalError(
            "GP-M039",
            f'no model uses the unit "{unit}"',
            expected=f"one of {', '.join(UNITS)}",
            next_step="please report it with the file that gives it",
        )
    return UNITS[unit][0]


def declarations(units: set[str]) -> list[str]:
    """Antimony unit definitions for these spellings, in the order of the table."""
    return [
        f"unit {name} = {text};" for spelling, (name, text) in UNITS.items() if spelling in units and text
    ]
