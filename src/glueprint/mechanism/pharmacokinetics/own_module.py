"""A module of pharmacokinetics that a user wrote: what it may say, and whether it fits the compound's file.

Only the statements below are let through, so a text from elsewhere can neither read files nor reach into the
rest of the model: species, reactions, assignments and initial values, with + - * / ^ ( ) exp and ln.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from glueprint.engine import reading, sbml
from glueprint.errors import GlueprintError, nearest
from glueprint.mechanism import dimensions
from glueprint.mechanism.composition import KEYWORDS, WORD
from glueprint.mechanism.pharmacokinetics.problems import Problem
from glueprint.mechanism.pharmacokinetics.structures import CONDUCT

__all__ = ["FUNCTIONS", "INPUTS", "OUTPUTS", "Statements", "incomputable", "statements", "unfit"]

# What a module may read from the rest of the compound's file, and what it must give.
INPUTS = {"fraction_unbound": "dimensionless", "molar_mass_g_per_mol": "g/mol"}
OUTPUTS = {"cp_ng_per_ml": "ng/mL", "free_nm": "nM"}
FUNCTIONS = ("exp", "ln")
HELP = "docs/pharmacokinetics.md shows a whole module"
NAME = r"[A-Za-z_]\w*"
SIDE = rf"(?:{NAME}(?:\s*\+\s*{NAME})*)?"
FRAME = re.compile(rf"model\s+{NAME}(?:\s*\(\s*\))?|end")
SPECIES = re.compile(rf"species\s+({NAME}(?:\s*,\s*{NAME})*)")
REACTION = re.compile(rf"({NAME})\s*:\s*({SIDE})\s*->\s*({SIDE})")
ASSIGNED = re.compile(rf"({NAME})\s*:=\s*(.+)")
INITIAL = re.compile(rf"({NAME})\s*=\s*(.+)")
EXPRESSION = re.compile(r"[\w\s.+\-*/^()]+")
CALL = re.compile(rf"({NAME})\s*\(")


@dataclass
class Statements:
    """The statements of a module by kind, in its order; expressions as written.

    reactions: name -> (reactants and products as written, rate).   problems: what was not understood.
    """

    species: list[str] = field(default_factory=list)
    reactions: dict[str, tuple[str, str]] = field(default_factory=dict)
    assigned: dict[str, str] = field(default_factory=dict)
    initial: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def own(self) -> tuple[str, ...]:
        """Names that the module defines."""
        return (*self.species, *self.reactions, *self.assigned)

    @property
    def read(self) -> tuple[str, ...]:
        """Names that stand in expressions and that the module does not define."""
        texts = [*(rate for _, rate in self.reactions.values()), *self.assigned.values()]
        words = [word for text in (*texts, *self.initial.values()) for word in WORD.findall(text)]
        return tuple(dict.fromkeys(word for word in words if word not in {*KEYWORDS, *self.own}))

    def text(self) -> str:
        """The module with one statement a line; species that are given no initial value start at 0."""
        lines = [f"species {', '.join(self.species)};"]
        lines += [f"{name}: {sides}; {rate};" for name, (sides, rate) in self.reactions.items()]
        lines += [f"{name} := {value};" for name, value in self.assigned.items()]
        lines += [f"{name} = {self.initial.get(name, '0')};" for name in self.species]
        return "\n".join(f"  {line}" for line in lines) + "\n"


def statements(text: str) -> Statements:
    """The statements of a module; what is not let through is among the problems, GP-M108."""
    found = Statements()
    for number, line in enumerate(text.splitlines(), start=1):
        for statement, rate in _parts(line.partition("//")[0]):
            if not _take(found, statement, rate):
                found.problems.append(_not_allowed(number, f"{statement}; {rate}" if rate else statement))
    return found


def _parts(line: str) -> Iterator[tuple[str, str]]:
    """(statement, rate) of one line; only reactions have a rate, which stands behind their first ";"."""
    pieces = [piece.strip() for piece in line.split(";")]
    while pieces:
        piece = pieces.pop(0)
        if "->" in piece:
            yield piece, pieces.pop(0) if pieces else ""
        elif piece:
            yield piece, ""


def _take(found: Statements, statement: str, rate: str) -> bool:
    """Enter one statement; False if it is none that a module may hold."""
    if rate or "->" in statement:
        reaction = REACTION.fullmatch(statement)
        if reaction is None or not _is_expression(rate) or reaction[1] in found.own:
            return False
        if not (reaction[2] or reaction[3]):
            return False
        found.reactions[reaction[1]] = (f"{reaction[2]} -> {reaction[3]}", rate)
        return True
    if FRAME.fullmatch(statement):
        return True
    if declared := SPECIES.fullmatch(statement):
        names = re.findall(NAME, declared[1])
        found.species += [name for name in names if name not in found.species]
        return True
    for pattern, target in ((ASSIGNED, found.assigned), (INITIAL, found.initial)):
        match = pattern.fullmatch(statement)
        if match and _is_expression(match[2]) and match[1] not in target:
            target[match[1]] = match[2]
            return True
    return False


def _is_expression(text: str) -> bool:
    calls = [name for name in CALL.findall(text) if name not in FUNCTIONS]
    return bool(EXPRESSION.fullmatch(text)) and not calls


def _not_allowed(number: int, statement: str) -> Problem:
    return Problem(
        "GP-M108",
        "module",
        f'line {number}: "{statement[:80]}" is no statement that a module may hold',
        "species a, b;   name: a -> b; rate;   x := expression;   a = number; with + - * / ^ ( ) exp and ln",
        f"write it so, each reaction with a name and on one line; {HELP}",
    )


def unfit(
    module: Statements, parameters: Set[str], roles: Mapping[str, str], dose_target: str
) -> list[Problem]:
    """Where the module and the fields around it do not fit together, GP-M109 to GP-M111.

    parameters: names in [pk.parameters].   roles: "cp_ng_per_ml" and "free_nm" -> names in the module.
    """
    return [
        *_roles(module, roles, dose_target),
        *_values(module, parameters),
        *_names(module, parameters),
    ]


def _roles(module: Statements, roles: Mapping[str, str], dose_target: str) -> Iterator[Problem]:
    if dose_target not in module.species:
        yield Problem(
            "GP-M109",
            "dose_target",
            f'"{dose_target}" is no species of the module',
            f"one of {', '.join(module.species) or 'its species'}",
            "name the species that a dose in mg is added to",
        )
    for role, name in roles.items():
        if name not in (*module.species, *module.assigned):
            yield Problem(
                "GP-M109",
                f"outputs.{role}",
                f'the module gives no "{name}"',
                f"{role} assigned in the module, in {OUTPUTS[role]}, or its name under [pk.outputs]",
                f"assign {role} := ..., or write {role} = the name it has in the module; {HELP}",
            )
    players = [dose_target, *roles.values()]
    for name in sorted({name for name in players if players.count(name) > 1}):
        yield Problem(
            "GP-M109",
            "outputs",
            f'"{name}" plays two of the roles dose_target, {", ".join(roles)}',
            "three names of the module, one a role",
            "correct dose_target or outputs",
        )


def _values(module: Statements, parameters: Set[str]) -> Iterator[Problem]:
    for name in module.read:
        if name not in (*parameters, *INPUTS):
            yield Problem(
                "GP-M110",
                f"parameters.{name}",
                "the module reads it, and it has no value",
                "a quantity with typical, unit and role",
                f"add {name} under [pk.parameters]",
            )
    for name in sorted(parameters - set(module.read)):
        yield Problem(
            "GP-M110",
            f"parameters.{name}",
            "no statement of the module reads it",
            f"one of {', '.join(module.read) or 'the names that it reads'}",
            "correct or leave out the name",
        )
    for name in module.initial:
        if name not in module.species:
            yield Problem(
                "GP-M110",
                "module",
                f'"{name} = {module.initial[name]}" gives a value to what is no species',
                "initial values of species only; every other number with unit and source in [pk.parameters]",
                f"move {name} to [pk.parameters]",
            )


def _names(module: Statements, parameters: Set[str]) -> Iterator[Problem]:
    for reaction, (sides, _) in module.reactions.items():
        for name in re.findall(NAME, sides):
            if name not in module.species:
                yield Problem(
                    "GP-M111",
                    "module",
                    f'reaction {reaction} moves "{name}", which is no species{nearest(name, module.species)}',
                    f"one of {', '.join(module.species) or 'the species that the module declares'}",
                    "correct the name, or declare the species",
                )
    taken = {*KEYWORDS, *INPUTS, *CONDUCT}
    twice = set(module.species) & {*module.assigned, *module.reactions}
    twice |= set(module.assigned) & set(module.reactions)
    for name in sorted({*module.own, *parameters} & taken | twice | (set(module.own) & parameters)):
        yield Problem(
            "GP-M111",
            "module",
            f'"{name}" cannot be a name here: '
            + ("it stands for two things" if name not in taken else "it has a meaning of its own"),
            f"a name other than {', '.join(sorted((*INPUTS, *CONDUCT)))} and units such as mg or per_h, once",
            "rename it",
        )


def incomputable(module: Statements) -> list[Problem]:
    """GP-M120 where the statements, alone and with a 1 for all that they read, make no model."""

    def apart(match: re.Match[str]) -> str:
        return match.group() if match.group() in KEYWORDS else f"own_{match.group()}"

    lines = [
        *dimensions.declarations(set(dimensions.UNITS)),
        WORD.sub(apart, module.text()),
        *(f"own_{name} = 1;" for name in module.read),
    ]
    try:
        document, _ = reading.read("\n".join(["model own", *lines, "end", ""]))
        sbml.flatten(document.getModel(), "module")
    except GlueprintError as error:
        return [
            Problem(
                "GP-M120",
                "module",
                f"cannot be computed: {error.message.replace('own_', '')[:200]}",
                "expressions that can be evaluated one after another",
                f"correct the statement; {HELP}",
            )
        ]
    return []
