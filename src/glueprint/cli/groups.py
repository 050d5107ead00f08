"""The groups of commands and the commands of their own: what each is for, and its module, which is imported
when it is first needed.

What the commands of a group are for stands in listing.json, too: `make listing` writes it.
Scientific libraries take seconds to import; help, version and a mistyped name need none of them.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typer.main
from typer.core import TyperCommand, TyperGroup

from glueprint.cli import choices
from glueprint.cli.forms import purpose, shaped
from glueprint.cli.recording import GROUPS as RECORDED
from glueprint.cli.recording import recorded

__all__ = ["COMMANDS", "GROUPS", "LISTING", "Groups", "listing"]

LISTING = Path(__file__).parent / "listing.json"

# Name of the group and of its module in this package -> what its help says.
GROUPS: Mapping[str, str] = {
    "glue": "Your glue: from your plates to its predicted trial, in one folder: new, run, status.",
    "study": "Whole studies: from the evidence to the report.",
    "evidence": "Published numbers: table, show, list, check, conflicts.",
    "experiment": "In-silico assays: list, run, facts.",
    "assay": "Assays: plates, layouts, readers, analyses.",
    "calibrate": "Parameters from published numbers: in-vitro, clinical.",
    "trial": "Virtual clinical trials: show, template, rules, run, compare, sweep, figures, design, export.",
    "model": "Your model: look at it, simulate, fit, question and exchange it.",
    "compound": "Compounds and intermediates: list, show, compare, check, stability, draw.",
    "diagram": "Draw the pathway, the assays' work flows, schemas of trials.",
    "synthesis": "Synthesis routes: list, show, check, plan. ROUTE: a name, or your own .toml file.",
}


# The same for a command that stands for itself.
COMMANDS: Mapping[str, str] = {
    "fit": "Curves through any table of x and y: models, shared parameters, comparisons.",
    "doctor": "Whether this machine has what Glueprint needs, each finding with its remedy.",
    "serve": "The workbench: the whole line as pages in your browser, on this machine.",
    "qualify": "Whether this installation gives the answers that are known: IQ, OQ, PQ, with a report.",
    "survival": "Your own table of patients: curves, log-rank, hazard ratios, milestones, restricted means.",
    "verify": "A folder against the records, ledger and signatures in it.",
    "sign": "Vouch for a folder with your key, as author, reviewer or approver.",
}


@cache
def _command(name: str) -> Any:
    return _kept(name, typer.main.get_command(importlib.import_module(f"glueprint.cli.{name}").app))


@cache
def _commands(name: str) -> Any:
    module = importlib.import_module(f"glueprint.cli.{name}")
    return _kept(name, typer.main.get_group(module.app)).commands


def _kept(name: str, command: Any) -> Any:
    """A command or group as its module has it, with `--format`, and with records where it makes numbers."""
    command = shaped(command, name)
    return recorded(command) if name in RECORDED else command


@cache
def _listing() -> Mapping[str, Mapping[str, str]]:
    return json.loads(LISTING.read_text("utf-8"))  # type: ignore[no-any-return]


def listing() -> dict[str, dict[str, str]]:
    """What every command is for, by group, as their modules say it: what the file of that name must hold."""
    return {group: {name: purpose(command) for name, command in _commands(group).items()} for group in GROUPS}


class _Group(TyperGroup):
    """A group whose commands are those of its module's `app`."""

    def _listed(self) -> TyperGroup:
        """The group without more of a command than what it is for."""
        commands: dict[str, Any] = {
            name: TyperCommand(name, help=what, short_help=what)
            for name, what in _listing()[str(self.name)].items()
        }
        return TyperGroup(name=self.name, help=self.help, commands=commands, rich_markup_mode=None)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Its help, as of the commands in the listing."""
        self._listed().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What Tab offers, as of the commands in the listing."""
        ctx.command = self._listed()
        return ctx.command.shell_complete(ctx, incomplete)

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

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """The context of the whole command line, whose words the record of a command holds."""
        choices.words.set(tuple(map(str, args)))
        return super().make_context(info_name, args, parent, **extra)
