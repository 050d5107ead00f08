"""Models made of models: definitions of other files are written into the one that uses them, then flattened.

Source: SBML Level 3 Hierarchical Model Composition 1, doi 10.1515/jib-2015-268.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import libsbml

__all__ = ["CompositionError", "composed", "flattened", "sources"]

COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
EXTERNAL = re.compile(r"<(?:\w+:)?externalModelDefinition\b[^>]*?\bsource\s*=\s*([\"'])(.*?)\1", re.DOTALL)
MOST_DEPTH = 16  # files within files
NAMESPACES = {"comp": COMP}


class CompositionError(ValueError):
    """A model of models that cannot be put together; the text says why."""


def sources(text: str) -> list[str]:
    """The files that a document takes models from, in its own words and order."""
    return list(dict.fromkeys(match[2] for match in EXTERNAL.finditer(text)))


def composed(text: str, files: Mapping[str, str]) -> str:
    """The document with the models of other files written into it.

    files: their texts by the name that the document uses.   Raises CompositionError.
    """
    if not sources(text):
        return text
    root = _inlined(text, files, 0)
    core, _, _ = root.tag[1:].partition("}")
    _plain(root)
    root.set("xmlns", core)
    root.set("xmlns:comp", COMP)
    return ElementTree.tostring(root, encoding="unicode")


def _plain(element: ElementTree.Element) -> None:
    """Prefixes as libsbml wants them: none for SBML and MathML, "comp" for the package; no remarks."""
    space, _, name = element.tag[1:].partition("}")
    element.tag = f"comp:{name}" if space == COMP else name
    if name == "math":
        element.set("xmlns", space)
    for key in [key for key in element.attrib if key.startswith("{")]:
        space, _, name = key[1:].partition("}")
        element.set(f"comp:{name}" if space == COMP else name, element.attrib.pop(key))
    for child in list(element):
        if child.tag.endswith(("}notes", "}annotation")):
            element.remove(child)
        else:
            _plain(child)


def _inlined(text: str, files: Mapping[str, str], depth: int) -> ElementTree.Element:
    if depth > MOST_DEPTH:
        raise CompositionError(f"files within files more than {MOST_DEPTH} deep")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise CompositionError(f"a file is not XML: {error}") from error
    externals = root.find("comp:listOfExternalModelDefinitions", NAMESPACES)
    if externals is None:
        return root
    here = root.find("comp:listOfModelDefinitions", NAMESPACES)
    if here is None:
        here = ElementTree.SubElement(root, f"{{{COMP}}}listOfModelDefinitions")
    for item in externals:
        source = _attribute(item, "source")
        inner = _inlined(files[source], files, depth + 1)
        if inner.tag != root.tag:
            raise CompositionError(f'"{source}" is of another level or version of SBML')
        here.extend(_renamed(inner, _attribute(item, "id"), _attribute(item, "modelRef"), source))
    root.remove(externals)
    return root


def _renamed(root: ElementTree.Element, name: str, wanted: str, source: str) -> list[ElementTree.Element]:
    """The model that is used, called `name`, and the definitions that it needs, under names of their own."""
    model = root.find(f"{root.tag[: root.tag.index('}') + 1]}model")
    definitions = list(root.iterfind("comp:listOfModelDefinitions/comp:modelDefinition", NAMESPACES))
    names = {item.get("id", ""): f"{name}__{item.get('id', '')}" for item in definitions}
    target = model if model is not None and wanted in ("", model.get("id")) else None
    target = target if target is not None else next((d for d in definitions if d.get("id") == wanted), None)
    if target is None:
        raise CompositionError(f'"{source}" holds no model "{wanted}"')
    for item in [target, *definitions]:
        for submodel in item.iterfind("comp:listOfSubmodels/comp:submodel", NAMESPACES):
            key = f"{{{COMP}}}modelRef"
            submodel.set(key, names.get(submodel.get(key, ""), submodel.get(key, "")))
    for item in definitions:
        item.set("id", names[item.get("id", "")])
    if target is model:
        target.tag = f"{{{COMP}}}modelDefinition"
        definitions.append(target)
    target.set("id", name)
    return definitions


def _attribute(item: ElementTree.Element, name: str) -> str:
    return item.get(f"{{{COMP}}}{name}", item.get(name, ""))


def flattened(document: Any) -> None:
    """Write submodels out in place, so that a plain model is left. Raises CompositionError."""
    properties = libsbml.ConversionProperties()
    for option, value in (
        ("flatten comp", True),
        ("leavePorts", False),
        ("listModelDefinitions", False),
        ("performValidation", False),
        ("stripUnflattenablePackages", False),
    ):
        properties.addOption(option, value)
    if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
        count = document.getNumErrors()
        said = document.getError(count - 1).getMessage().strip() if count else "libsbml does not say why"
        raise CompositionError(f"its submodels cannot be written out: {said}")
