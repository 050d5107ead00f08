"""The groups of commands and the commands of their own: what each is for, and its module, which is imported
when it is first needed.

Scientific libraries take seconds to import; help, version and a mistyped name need none of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import typer.main
from typer.core import TyperCommand, TyperGroup

__all__ = ["COMMANDS", "GROUPS", "Groups"]

# Name of the group and of its module in this package -> what its help says.
GROUPS: Mapping[str, str] = {
    "glue": "Your glue: from your plates to its predicted trial, in one folder: new, run, status.",
    "study": "Whole studies: from the evidence to the report.",
    "evidence": "Published numbers: table, show, list, check, conflicts.",
    "experiment": "In-silico assays: list, run, facts.",
    "assay": "Assays: plates, layouts, readers, analyses.",
    "calibrate": "Parameters from published numbers: in-vitro, clinical.",
    "trial": "Virtual clinical trials: list, show, template, rules, run, compare, sweep, figures.",
    "model": "Look at a model and simulate it.",
    "compound": "Compounds and intermediates: list, show, compare, check, stability, draw.",
    "diagram": "Draw the pathway, the assays' work flows, schemas of trials.",
    "synthesis": "Synthesis routes: list, show, check, plan. ROUTE: a name, or your own .toml file.",
}


# The same for a command that stands for itself.
COMMANDS: Mapping[str, str] = {
    "fit": "Curves through any table of x and y: models, shared parameters, comparisons.",
    "survival": "Your own table of patients: curves, log-rank, hazard ratios, milestones, restricted means.",
}


@cache
def _command(name: str) -> Any:
    return typer.main.get_command(importlib.import_module(f"glueprint.cli.{name}").app)


@cache
def _commands(name: str) -> Any:
    module = importlib.import_module(f"glueprint.cli.{name}")
    return typer.main.get_group(module.app).commands


class _Group(TyperGroup):
    """A group whose commands are those of its module's `app`."""

    @property
    def commands(self) -> Any:
        """Its commands by name; the first time imports the module."""
        return _commands(str(self.name))

    @commands.setter
    def commands(self, _given: Any) -> None:
        """The module alone says what the commands are."""


class _Command(TyperCommand):
    """A command whose module is imported when it runs."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself, which then runs in this one's place."""
        return _command(str(self.name)).make_context(info_name, args, parent, **extra)


class Groups(TyperGroup):
    """The root command, with every group and command."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, what in GROUPS.items():
            self.add_command(_Group(name=name, help=what, short_help=what, no_args_is_help=True))
        for name, what in COMMANDS.items():
            self.add_command(_Command(name, help=what, short_help=what))
