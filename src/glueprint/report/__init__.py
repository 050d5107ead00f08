"""The report: plain tables in, one offline HTML page and its figures out."""

from glueprint.report import figures
from glueprint.report.page import ReportInput, TrialTables, render, write

__all__ = ["ReportInput", "TrialTables", "figures", "render", "write"]
