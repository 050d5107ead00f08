"""Routes in and out: reaction SMILES, RXN and RDfiles, and trees as AiZynthFinder writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdChemReactions, rdDepictor

from glueprint.chemistry import flow, structures
from glueprint.chemistry.recognition import Written, as_route
from glueprint.chemistry.route import Route, Step
from glueprint.errors import EnvironmentProblemError, InputError

__all__ = ["ENDINGS", "is_route_text", "reaction_smiles", "read", "rxn", "tree"]

ENDINGS = (".json", ".rxn", ".rdf", ".rsmi", ".smi", ".smiles", ".txt")
# The part of extended SMILES that says which fragments are one salt.
FRAGMENTS = re.compile(r"\|[^|]*?f:([\d.,]+)[^|]*\|")
# What follows an RXN in an RDfile.
TAIL = re.compile(r"^\$(?:DTYPE|RFMT)", re.MULTILINE)
DEEPEST = 60


def is_route_text(text: str) -> bool:
    """Whether a text is a reaction SMILES, or the path of a file that `read` takes."""
    return Path(text).suffix.lower() in ENDINGS or text.count(">") == 2


def read(text: str) -> tuple[Route, ...]:
    """The routes of a reaction SMILES or a file: trees of AiZynthFinder (.json), RXN or RDfile, or a list of
    reaction SMILES (one a line, in the order of the steps; a name may follow).

    Each step gets a reaction that can be run (`recognition`); check the result with `routes.check`.
    Raises InputError GP-H022 with file and line for what cannot be read, GP-H002 for a SMILES;
    EnvironmentProblemError GP-H008 for a file that cannot be.
    """
    if text.count(">") == 2 and Path(text).suffix.lower() not in ENDINGS:
        return (_named([_from_smiles(text, "reaction SMILES")], "own", "reaction SMILES"),)
    path = Path(text)
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblemError(
            "GP-H008",
            f"cannot read the file: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}",
            where=text,
            next_step="check the path, the permissions and the encoding",
        ) from error
    ending = path.suffix.lower()
    if ending == ".json":
        return _trees(content, text)
    lines = list(_rxns(content, text)) if ending in (".rxn", ".rdf") else list(_lines(content, text))
    return (_named(lines, path.stem, text),)


def reaction_smiles(route: Route) -> tuple[str, ...]:
    """One reaction SMILES a step, fragments of salts grouped (CXSMILES `f:`), the step's name behind."""
    return tuple(_written(route, step) for step in route.step)


def rxn(route: Route) -> str:
    """An MDL RXN of a route with one step, else an RDfile with one RXN a step; laid out in two dimensions."""
    blocks = [_block(route, step) for step in route.step]
    if len(blocks) == 1:
        return blocks[0]
    body = "".join(
        f"$RFMT\n{block.rstrip()}\n$DTYPE STEP\n$DATUM {step.name}\n"
        for block, step in zip(blocks, route.step, strict=True)
    )
    return f"$RDFILE 1\n$DATM 01/01/00 00:00\n{body}"


def tree(route: Route) -> dict[str, Any]:
    """The route as a tree from its target, in the form of AiZynthFinder's JSON."""
    made = {product: step for step in route.step for product in step.products}
    return _molecule(route, route.target, made, set(flow.bought(route)))


def _molecule(route: Route, name: str, made: Mapping[str, Step], bought: set[str]) -> dict[str, Any]:
    node: dict[str, Any] = {
        "type": "mol",
        "hide": False,
        "smiles": route.material(name).smiles,
        "is_chemical": True,
        "in_stock": name in bought,
    }
    step = made.get(name)
    if step is not None:
        reactants = ".".join(route.material(reactant).smiles for reactant in step.reactants)
        node["children"] = [
            {
                "type": "reaction",
                "hide": False,
                "smiles": f"{route.material(name).smiles}>>{reactants}",
                "is_reaction": True,
                "metadata": {"classification": step.name, "template": _turned(step.smarts)},
                "children": [_molecule(route, reactant, made, bought) for reactant in step.reactants],
            }
        ]
    return node


def _turned(smarts: str) -> str:
    """A template read from the other side."""
    left, _, right = smarts.partition(">>")
    return f"{right}>>{left}"


def _written(route: Route, step: Step) -> str:
    sides = (
        [*step.reactants, *step.consumes],
        [name for name in step.reagents if _is_structure(name)],
        [step.products[0], *step.releases],
    )
    groups, place, texts = [], 0, []
    for names in sides:
        smiles = [route.material(name).smiles for name in names]
        for one in smiles:
            count = one.count(".") + 1
            if count > 1:
                groups.append(".".join(str(place + i) for i in range(count)))
            place += count
        texts.append(".".join(smiles))
    extension = f" |f:{','.join(groups)}|" if groups else ""
    return f"{'>'.join(texts)}{extension} {step.name}"


def _is_structure(name: str) -> bool:
    try:
        structures.load(name)
    except InputError:
        return False
    return True


def _block(route: Route, step: Step) -> str:
    reaction = rdChemReactions.ChemicalReaction()
    with rdBase.BlockLogs():
        for name in (*step.reactants, *step.consumes):
            reaction.AddReactantTemplate(_laid(route, name))
        for name in (step.products[0], *step.releases):
            reaction.AddProductTemplate(_laid(route, name))
        return str(rdChemReactions.ReactionToRxnBlock(reaction))


def _laid(route: Route, name: str) -> Any:
    mol = structures.molecule(route.material(name).smiles)
    rdDepictor.Compute2DCoords(mol)
    return mol


def _named(written: Sequence[Written], name: str, source: str) -> Route:
    return as_route(written, name=name, title=f"{len(written)} steps as read", source=source)


def _lines(content: str, path: str) -> Iterator[Written]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _from_smiles(line.strip(), f"{path}, line {number}")


def _from_smiles(text: str, where: str) -> Written:
    grouped = FRAGMENTS.search(text)
    groups = grouped[1] if grouped else ""
    bare, _, name = re.sub(r"\|[^|]*\|", "", text).strip().partition(" ")
    sides = bare.split(">")
    if len(sides) != 3 or not sides[0] or not sides[2]:
        raise _bad(f'cannot read "{bare[:120]}" as a reaction SMILES', where)
    together = [[int(place) for place in group.split(".")] for group in groups.split(",") if group]
    parts, place = [], 0
    for side in sides:
        fragments = side.split(".") if side else []
        parts.append(_grouped(fragments, place, together))
        place += len(fragments)
    plain = [tuple(_unmapped(smiles, where) for smiles in part) for part in parts]
    return Written(plain[0], plain[2], plain[1], name=name.strip(), where=where)


def _grouped(fragments: list[str], start: int, together: list[list[int]]) -> list[str]:
    """The fragments of one side, those of a salt joined."""
    joined = {place: group for group in together for place in group}
    found: dict[int, list[str]] = {}
    for place, fragment in enumerate(fragments, start=start):
        first = min(joined.get(place, [place]))
        found.setdefault(first, []).append(fragment)
    return [".".join(parts) for parts in found.values()]


def _unmapped(smiles: str, where: str) -> str:
    mol = structures.molecule(smiles, where=where)
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
    return str(Chem.MolToSmiles(mol))


def _rxns(content: str, path: str) -> Iterator[Written]:
    """The reactions of an RXN, or of an RDfile, in order."""
    starts = [place.start() for place in re.finditer(r"^\$RXN", content, re.MULTILINE)]
    if not starts:
        raise _bad("no $RXN in the file", path)
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(content)], strict=True), start=1):
        block = content[start:end]
        where = f"{path}, line {content.count(chr(10), 0, start) + 1}"
        name = re.search(r"\$DTYPE STEP\n\$DATUM (.*)", block)
        with rdBase.BlockLogs():
            try:
                found = rdChemReactions.ReactionFromRxnBlock(TAIL.split(block, maxsplit=1)[0])
            except (ValueError, RuntimeError):
                found = None
        if found is None or not found.GetNumReactantTemplates() or not found.GetNumProductTemplates():
            raise _bad("a reaction that cannot be read", where)
        sides = [
            tuple(_unmapped(Chem.MolToSmiles(mol), where) for mol in side)
            for side in (found.GetReactants(), found.GetProducts(), found.GetAgents())
        ]
        said = name[1].strip() if name else f"step {number}"
        yield Written(sides[0], sides[1], sides[2], name=said, where=where)


def _trees(content: str, path: str) -> tuple[Route, ...]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:  # a number of too many digits is no JSONDecodeError
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _bad("not JSON", f"{path}{line}") from error
    if isinstance(data, Mapping) and "trees" in data:
        data = data["trees"]
    found = data if isinstance(data, list) else [data]
    routes = []
    for number, one in enumerate(found, start=1):
        place = f"{path}, tree {number}"
        steps = list(_walk(one, place, 0))
        name = Path(path).stem if len(found) == 1 else f"{Path(path).stem}-{number}"
        routes.append(_named(steps, name, place))
    if not routes:
        raise _bad("no tree in it", path)
    return tuple(routes)


def _walk(node: Any, where: str, depth: int) -> Iterator[Written]:
    """The steps of a tree, those that come first at the bench first."""
    if not isinstance(node, Mapping) or not isinstance(node.get("smiles"), str):
        raise _bad('a node without "smiles"', where)
    if depth > DEEPEST:
        raise _bad(f"a tree deeper than {DEEPEST} steps", where)
    children = node.get("children") or []
    if not isinstance(children, list):
        raise _bad('"children" is not a list', where)
    for reaction in children:
        below = reaction.get("children") if isinstance(reaction, Mapping) else None
        if not isinstance(below, list) or not below:
            raise _bad(f"a reaction without reactants, for {node['smiles'][:80]}", where)
        for reactant in below:
            yield from _walk(reactant, where, depth + 1)
        metadata = reaction.get("metadata")
        known = metadata if isinstance(metadata, Mapping) else {}
        template = known.get("template")
        yield Written(
            tuple(_unmapped(reactant["smiles"], where) for reactant in below),
            (_unmapped(node["smiles"], where),),
            template=_turned(template) if isinstance(template, str) and ">>" in template else "",
            name=str(known.get("classification") or ""),
            where=where,
        )


def _bad(reason: str, where: str) -> InputError:
    return InputError(
        "GP-H022",
        reason,
        where=where,
        expected='a reaction SMILES "reactants>agents>products", an RXN, or a tree of mol and reaction nodes',
        next_step="docs/synthesis.md shows each form",
    )
