"""A long straight line of code as several functions, so that a compiler's time grows in proportion to it.

Instruction selection and the sharing out of registers take more than proportionally long for long blocks.
What one piece computes and a later one reads goes through memory; what is a load from an array that the line
never writes is loaded again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from glueprint.formulas.ir import splat

__all__ = ["LONG", "function"]

LONG = 3000  # lines that are not yet divided: they run fastest in one piece
PIECE = 500  # lines, about
NAME = re.compile(r"%v\d+")
HEAD = "noinline nounwind"


def function(name: str, arguments: str, lines: Sequence[str], width: int, constant: Sequence[str]) -> str:
    """LLVM text of @name(arguments), whose body is `lines` of a `Block` and which returns nothing.

    constant: pointers among the arguments through which nothing is written.
    """
    if len(lines) <= LONG:
        return "\n".join([f"define internal void @{name}({arguments}) {HEAD} {{", *lines, "  ret void", "}"])
    pieces = _divided(lines)
    line = _Line(lines, pieces, width, constant)
    texts, calls = [], []
    # Pointers of the pieces may meet in the values that go from one to the next, so they promise less.
    plain = arguments.replace("noalias ", "")
    for number in range(len(pieces)):
        body = line.piece(number)
        texts.append(
            "\n".join(
                [
                    f"define internal void @{name}_{number}({plain}, ptr %x) {HEAD} {{",
                    *body,
                    "  ret void",
                    "}",
                ]
            )
        )
        calls.append(f"  call void @{name}_{number}({plain}, ptr %x)")
    room = f"  %x = alloca {line.vector}, i64 {max(len(line.slots), 1)}, align {8 * width}"
    whole = [f"define internal void @{name}({arguments}) {HEAD} {{", room, *calls, "  ret void", "}"]
    return "\n".join([*texts, *whole])


def _divided(lines: Sequence[str]) -> list[range]:
    """Ranges of lines; an address stays with what it is computed for."""
    pieces, start = [], 0
    for end in range(1, len(lines) + 1):
        long = end - start >= PIECE and " = getelementptr " not in lines[end - 1]
        if end == len(lines) or long:
            pieces.append(range(start, end))
            start = end
    return pieces


class _Line:
    """Who defines and who reads each value of a straight line."""

    def __init__(
        self, lines: Sequence[str], pieces: Sequence[range], width: int, constant: Sequence[str]
    ) -> None:
        self.lines, self.pieces = lines, pieces
        self.vector, self.mask = f"<{width} x double>", f"<{width} x i1>"
        self.width = width
        self.defined: dict[str, tuple[int, int]] = {}  # piece and line
        self.slots: dict[str, int] = {}
        self.again: dict[str, list[str]] = {}
        for number, rows in enumerate(pieces):
            for row in rows:
                names = NAME.findall(lines[row])
                if " = " in lines[row]:
                    own, *names = names
                    self.defined[own] = (number, row)
                    if lines[row].split(" = ")[1].startswith("load "):
                        address = lines[self.defined[names[0]][1]]
                        if any(f"ptr {pointer}, " in address for pointer in constant):
                            self.again[own] = [address, lines[row]]
                for value in names:
                    if self.defined[value][0] != number and value not in self.again:
                        self.slots.setdefault(value, len(self.slots))

    def piece(self, number: int) -> list[str]:
        """Lines of a piece, with what it takes from earlier ones and gives to later ones."""
        here: set[str] = set()
        body: list[str] = []
        for row in self.pieces[number]:
            line = self.lines[row]
            names = NAME.findall(line)
            own = names.pop(0) if " = " in line else ""
            for value in names:
                if value not in here and self.defined[value][0] != number:
                    here.add(value)
                    body += self.again.get(value) or self._taken(value)
            body.append(line)
            if own in self.slots:
                body += self._given(own)
        return body

    def _is_mask(self, value: str) -> bool:
        right = self.lines[self.defined[value][1]].split(" = ")[1]
        operation = right.split()[0]
        if operation == "select":
            return f", {self.mask} " in right
        return operation == "fcmp" or (operation in ("and", "or", "xor") and self.mask in right)

    def _place(self, value: str) -> str:
        return f"  {value}x = getelementptr {self.vector}, ptr %x, i64 {self.slots[value]}"

    def _given(self, value: str) -> list[str]:
        lines, stored = [self._place(value)], value
        if self._is_mask(value):
            stored = f"{value}m"
            ones, zeros = splat(1.0, self.width), splat(0.0, self.width)
            lines.append(
                f"  {stored} = select {self.mask} {value}, {self.vector} {ones}, {self.vector} {zeros}"
            )
        return [*lines, f"  store {self.vector} {stored}, ptr {value}x, align {8 * self.width}"]

    def _taken(self, value: str) -> list[str]:
        is_mask = self._is_mask(value)
        loaded = f"{value}m" if is_mask else value
        lines = [
            self._place(value),
            f"  {loaded} = load {self.vector}, ptr {value}x, align {8 * self.width}",
        ]
        if is_mask:
            lines.append(f"  {value} = fcmp une {self.vector} {loaded}, {splat(0.0, self.width)}")
        return lines
