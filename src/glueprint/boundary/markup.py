"""XML of somebody else's, read where it may fill the memory: no document type, no entities, nothing
fetched."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

__all__ = ["prepare", "tree"]

MOST_DEPTH, MOST_NODES = 60, 2_000_000


def tree(content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The elements of an XML document, or why there are none.

    options: root, the name of the outermost element.
    Returns {"tree": [name, attributes, text, children]} or {"unreadable": reason}, and nothing beside.
    """
    top: list[Any] = ["", {}, "", []]
    stack, count = [top], 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > MOST_DEPTH or count > MOST_NODES:
            raise ValueError("nests too deep or has too many elements")
        stack[-1][3].append([name, attributes, "", []])
        stack.append(stack[-1][3][-1])

    def text(data: str) -> None:
        stack[-1][2] += data

    def doctype(*_: object) -> None:
        raise ValueError("declares a document type, which no instrument needs")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = begin, text
    parser.EndElementHandler = lambda _: stack.pop()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        return {"unreadable": str(error)}, b""
    found = top[3][0]
    if found[0] != options["root"]:
        return {"unreadable": f"its outermost element is {found[0][:40]}, not {options['root']}"}, b""
    return {"tree": found}, b""


def prepare() -> None:
    """Parse something, so that all that is loaded at first use is loaded."""
    tree(b'<?xml version="1.0" encoding="UTF-8"?><a b="c">d</a>', {"root": "a"})
    tree('<?xml version="1.0" encoding="windows-1252"?><a>µ</a>'.encode("cp1252"), {"root": "a"})
