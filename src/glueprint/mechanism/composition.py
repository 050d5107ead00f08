"""How modules make a model: each module's text with the names, units and declarations of its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from glueprint.mechanism import dimensions

__all__ = ["KEYWORDS", "Part", "Text", "compose", "module_text", "write"]

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")  # not the exponent of 1e-12
KEYWORDS = {"species", "exp", "ln", "time"} | set(dimensions.LITERALS)
# Names that mean the same in every module; all others take the prefix of their part.
SHARED = {
    *("occupancy", "ligase", "synthesis", "neddylation", "proteasome", "crbn_level", "crbn_nm"),
    *("crbn_empty_nm", "crbn_s_nm", "crbn_r_nm", "kon_per_nm_h", "proteasome_per_h"),
    *("deubiquitination_per_h", "degraded_share", "empty_loss_per_h", "liganded_loss_per_h", "cell_share"),
    *("drug_s_nm", "drug_r_nm", "ikzf1_progenitor", "gcsf_fold"),
}
FIXED = KEYWORDS | SHARED  # what no part renames
# A number without a unit behind it: counts and shares.
BARE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])(?!\s+[A-Za-z_])")
REACTION = re.compile(r"^(\s*\w+:\s*)([^;]*);\s*(.*);\s*$")
SPECIES = re.compile(r"^\s*species ([^;]+);\s*$")
# Units of species and assigned quantities whose names do not end in them.
UNITS = {
    **dict.fromkeys(("glue_gut", "glue_central", "glue_peripheral", "dex_depot", "dex_central"), "mg"),
    "dex_site": "mg/L",
    **{
        f"{lineage}_{pool}": "1e9/L"
        for lineage in ("neutrophil", "platelet")
        for pool in ("progenitors", "arrested", "maturing", "releasing")
    },
    "haemoglobin_level": "g/dL",
}
# Species live in one litre, or in one decilitre where their unit says so; amounts have no volume.
HOMES = {"mg": "volume_l", "dimensionless": "volume_l", "g/dL": "volume_dl"}
VOLUMES = {"volume_l": "L", "volume_dl": "dL"}


@dataclass(frozen=True)
class Part:
    """One module in its place: names get `prefix`, except the shared and the renamed ones.

    text: the module itself, where no file of the package holds it.   units: of species and assigned
    quantities that are in no table and whose names do not say it, by their names in the whole model.
    """

    module: str
    prefix: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The module's statements with the names they have in the whole model."""
        found = []
        for line in (self.text or module_text(self.module)).splitlines():
            code, mark, comment = line.partition("//")
            if code.strip() == "end" or code.startswith("model "):
                continue
            found.append(WORD.sub(self._name, code) + mark + comment)
        return found

    def _name(self, match: re.Match[str]) -> str:
        word = match.group()
        if word in self.rename:
            return self.rename[word]
        return word if word in FIXED else self.prefix + word


@dataclass(frozen=True)
class Text:
    """A composed model without values: its statements, and the names that still need one.

    units: of species and assigned quantities, where a part gives them.
    """

    lines: tuple[str, ...]
    species: tuple[str, ...]
    assigned: tuple[str, ...]
    missing: tuple[str, ...]
    units: Mapping[str, str] = field(default_factory=dict)


def compose(parts: Sequence[Part]) -> Text:
    """The statements of all parts together, with the names of species, assigned quantities and parameters."""
    lines = [line for part in parts for line in part.lines()]
    statements = "\n".join(line.partition("//")[0] for line in lines)
    species = [w for line in lines if (m := SPECIES.match(line)) for w in WORD.findall(m[1])]
    assigned = re.findall(r"(\w+) :=", statements)
    reactions = re.findall(r"^\s*(\w+):", statements, flags=re.M)
    known = {*species, *assigned, *reactions, *KEYWORDS}
    missing = [word for word in dict.fromkeys(WORD.findall(statements)) if word not in known]
    units = {word: unit for part in parts for word, unit in part.units.items()}
    return Text(tuple(lines), tuple(species), tuple(assigned), tuple(missing), units)


def write(name: str, text: Text, values: Mapping[str, tuple[float, str]]) -> str:
    """The whole model in Antimony, with units, so that libsbml can check them.

    values: (number, unit) of every name in `text.missing`.
    """

    def unit(word: str) -> str:
        if word in values:
            return values[word][1]
        return text.units.get(word) or UNITS.get(word, dimensions.unit_of(word))

    body = [_statement(line, set(text.species), unit) for line in text.lines if not SPECIES.match(line)]
    homes = {word: HOMES.get(unit(word), "volume_l") for word in text.species}
    used = {unit(word) for word in (*text.species, *text.assigned, *values)}
    used |= {
        dimensions.LITERALS[word]
        for line in body
        for word in WORD.findall(line)
        if word in dimensions.LITERALS
    }
    used |= {VOLUMES[home] for home in homes.values()}
    head = ["unit time_unit = 3600 second; unit substance = dimensionless; unit extent = dimensionless;"]
    head += ["unit volume = litre;", *dimensions.declarations(used)]
    for home in dict.fromkeys(homes.values()):
        head.append(f"compartment {home} = 1; {home} has {dimensions.identifier(VOLUMES[home])};")
    for word in text.species:
        amount = "substanceOnly " if unit(word) in ("mg", "dimensionless") else ""
        head.append(
            f"{amount}species {word} in {homes[word]}; {word} has {dimensions.identifier(unit(word))};"
        )
    tail = [f"{word} has {dimensions.identifier(unit(word))};" for word in text.assigned]
    for word, (number, given) in values.items():
        tail.append(f"{word} = {number!r}; {word} has {dimensions.identifier(given)};")
    inner = "\n".join("  " + line.strip() for line in [*head, *body, *tail])
    return f"model {name}\n{inner}\nend\n"


def _statement(line: str, species: set[str], unit: Callable[[str], str]) -> str:
    """One line with units behind its bare numbers; a rate is taken over the unit of what it moves."""
    code, mark, comment = line.partition("//")
    reaction = REACTION.match(code)
    if reaction is None:
        return "; ".join(_initial(part) for part in code.split(";")).rstrip() + mark + comment
    moved = [word for word in WORD.findall(reaction[2]) if word in species]
    name, law = dimensions.identifier(unit(moved[0])), BARE.sub(r"\1 dimensionless", reaction[3])
    if name != "dimensionless":
        law = f"({law}) / (1 {name})"
    return f"{reaction[1]}{reaction[2]}; {law};{mark}{comment}"


def _initial(part: str) -> str:
    """A statement that is no reaction; `x = 0` keeps its bare number, which takes the unit of x."""
    left, sign, right = part.partition("=")
    if not sign or re.fullmatch(r"\s*[\d.e+-]+\s*", right):
        return part
    return left + sign + BARE.sub(r"\1 dimensionless", right)


def module_text(module: str) -> str:
    """The text of a module that comes with Glueprint."""
    return (files("glueprint.mechanism") / "modules" / f"{module}.ant").read_text(encoding="utf-8")
