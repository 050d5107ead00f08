"""Cells of a CSV file as text that no spreadsheet computes."""

from __future__ import annotations

__all__ = ["FORMULA_STARTS", "MARK", "inert"]

# What spreadsheets begin to compute at: OWASP, "CSV Injection". A leading tab or line feed counts, too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
MARK = "'"


def inert(text: str) -> str:
    """`text` as a cell shows it: one that begins like a formula gets an apostrophe before it."""
    harmless = len(text) == 1 or _is_number(text)
    return f"{MARK}{text}" if text.startswith(FORMULA_STARTS) and not harmless else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
