"""Vector functions in LLVM's text form: exp and log by polynomials, the rest lane by lane from the C library.

exp: reduction to |r| <= ln(2) / 2 and a Taylor polynomial of degree 13 (remainder below 5e-18).
log: reduction to [sqrt(1/2), sqrt(2)) and the series in s = f / (2 + f) with the minimax coefficients of
Sun's fdlibm, e_log.c (netlib.org/fdlibm). Measured error: tests/engine/test_mathlib.py.
"""

from __future__ import annotations

import math
import struct
import sys

__all__ = ["definition", "helper"]

LIBM = frozenset(
    {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "tgamma"}
)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # fdlibm e_log.c
LOG_SERIES = (  # Lg1 to Lg7 of fdlibm e_log.c
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
SMALLEST_NORMAL = sys.float_info.min
MAGIC = 1.5 * 2.0**52  # adding it rounds to a whole number, which then stands in the low bits
EXP_LOW, EXP_HIGH = -708.0, 709.782712893384


def helper(op: str) -> str:
    """The name of the vector function for a graph operation."""
    if op in ("exp", "log", "plog"):
        return f"vector_{op}"
    return f"vector_{'tgamma' if op == 'gamma' else op}"


def definition(name: str, width: int) -> str:
    """The text that defines (or declares) a helper."""
    vector = f"<{width} x double>"
    if name.startswith("llvm."):
        return f"declare {vector} @{name}({vector})"
    if name == "vector_exp":
        return _exp(width)
    if name == "vector_log":
        return _log(width)
    if name == "vector_plog":
        return _log_for_powers(width)
    return _lane_by_lane(name.removeprefix("vector_"), width)


def _bits(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


class _Text:
    """Names and constants for the two polynomials."""

    def __init__(self, width: int) -> None:
        self.vector, self.words, self.width = f"<{width} x double>", f"<{width} x i64>", width
        self.lines: list[str] = []

    def real(self, value: float) -> str:
        bits = _bits(value) & (2**64 - 1)
        return "<" + ", ".join([f"double 0x{bits:016X}"] * self.width) + ">"

    def whole(self, value: int) -> str:
        return "<" + ", ".join([f"i64 {value}"] * self.width) + ">"

    def let(self, right: str) -> str:
        name = f"%t{len(self.lines)}"
        self.lines.append(f"  {name} = {right}")
        return name

    def fma(self, a: str, b: str, c: str) -> str:
        vector = self.vector
        return self.let(f"call {vector} @llvm.fma.v{self.width}f64({vector} {a}, {vector} {b}, {vector} {c})")

    def pairs(self, x: str, coefficients: list[float]) -> str:
        """Polynomial by Estrin's scheme: short chains, so lanes do not wait."""
        terms = [self.real(c) for c in coefficients]
        power = x
        while len(terms) > 1:
            joined = [
                self.fma(terms[i + 1], power, terms[i]) if i + 1 < len(terms) else terms[i]
                for i in range(0, len(terms), 2)
            ]
            terms = joined
            if len(terms) > 1:
                power = self.let(f"fmul {self.vector} {power}, {power}")
        return terms[0]


def _function(name: str, text: _Text, result: str) -> str:
    head = f"define internal {text.vector} @{name}({text.vector} %x) alwaysinline nounwind"
    return "\n".join([f"{head} {{", *text.lines, f"  ret {text.vector} {result}", "}"])


def _exp(width: int) -> str:
    t = _Text(width)
    v, w = t.vector, t.words
    rounded = t.fma("%x", t.real(1.0 / math.log(2.0)), t.real(MAGIC))
    n = t.let(f"fsub {v} {rounded}, {t.real(MAGIC)}")
    minus_n = t.let(f"fneg {v} {n}")
    r = t.fma(minus_n, t.real(LN2_LOW), t.fma(minus_n, t.real(LN2_HIGH), "%x"))
    value = t.pairs(r, [1.0 / math.factorial(k) for k in range(14)])
    shift = t.let(f"shl {w} {t.let(f'bitcast {v} {rounded} to {w}')}, {t.whole(52)}")
    scaled = t.let(f"add {w} {t.let(f'bitcast {v} {value} to {w}')}, {shift}")
    result = t.let(f"bitcast {w} {scaled} to {v}")
    mask = f"<{width} x i1>"
    for kind, limit, instead in (("olt", EXP_LOW, t.real(0.0)), ("ogt", EXP_HIGH, t.real(math.inf))):
        beyond = t.let(f"fcmp {kind} {v} %x, {t.real(limit)}")
        result = t.let(f"select {mask} {beyond}, {v} {instead}, {v} {result}")
    # What is no number stays so: the shift of a quiet NaN by its low bits, all 0, leaves it alone.
    return _function("vector_exp", t, result)


def _log(width: int) -> str:
    """log for every double: numbers below the normal range are lifted first."""
    t = _Text(width)
    v, mask = t.vector, f"<{width} x i1>"
    tiny = t.let(f"fcmp olt {v} %x, {t.real(SMALLEST_NORMAL)}")
    lifted = t.let(f"fmul {v} %x, {t.real(2.0**54)}")
    x = t.let(f"select {mask} {tiny}, {v} {lifted}, {v} %x")
    drop = t.let(f"select {mask} {tiny}, {v} {t.real(54.0)}, {v} {t.real(0.0)}")
    result = _log_of_normal(t, x, drop)
    for kind, limit, instead in (
        ("oeq", 0.0, t.real(-math.inf)),
        ("olt", 0.0, t.real(math.nan)),
        ("ugt", sys.float_info.max, "%x"),
    ):
        special = t.let(f"fcmp {kind} {v} %x, {t.real(limit)}")
        result = t.let(f"select {mask} {special}, {v} {instead}, {v} {result}")
    return _function("vector_log", t, result)


def _log_for_powers(width: int) -> str:
    """log of numbers >= 0 inside a power: 0 becomes -1e300, so that exp(b log 0) is 0, 1 or infinite as b is
    above, at or below 0.
    """
    t = _Text(width)
    v, mask = t.vector, f"<{width} x i1>"
    result = _log_of_normal(t, "%x", None)
    for kind, limit, instead in (
        ("olt", SMALLEST_NORMAL, t.real(-1e300)),
        ("ugt", sys.float_info.max, "%x"),
    ):
        special = t.let(f"fcmp {kind} {v} %x, {t.real(limit)}")
        result = t.let(f"select {mask} {special}, {v} {instead}, {v} {result}")
    return _function("vector_plog", t, result)


def _log_of_normal(t: _Text, x: str, drop: str | None) -> str:
    """log of a normal positive number; `drop` is taken from its binary exponent."""
    v, w = t.vector, t.words
    bits = t.let(f"bitcast {v} {x} to {w}")
    above = t.let(f"sub {w} {bits}, {t.whole(_bits(math.sqrt(0.5)))}")
    exponent = t.let(f"ashr {w} {above}, {t.whole(52)}")
    mantissa = t.let(f"sub {w} {bits}, {t.let(f'shl {w} {exponent}, {t.whole(52)}')}")
    m = t.let(f"bitcast {w} {mantissa} to {v}")
    lodged = t.let(f"add {w} {exponent}, {t.whole(_bits(MAGIC))}")
    e = t.let(f"fsub {v} {t.let(f'bitcast {w} {lodged} to {v}')}, {t.real(MAGIC)}")
    if drop is not None:
        e = t.let(f"fsub {v} {e}, {drop}")
    f = t.let(f"fsub {v} {m}, {t.real(1.0)}")
    s = t.let(f"fdiv {v} {f}, {t.let(f'fadd {v} {f}, {t.real(2.0)}')}")
    z = t.let(f"fmul {v} {s}, {s}")
    series = t.let(f"fmul {v} {z}, {t.pairs(z, list(LOG_SERIES))}")
    half_square = t.let(f"fmul {v} {t.let(f'fmul {v} {f}, {f}')}, {t.real(0.5)}")
    inner = t.let(f"fadd {v} {half_square}, {series}")
    low = t.fma(s, inner, t.let(f"fmul {v} {e}, {t.real(LN2_LOW)}"))
    small = t.let(f"fsub {v} {t.let(f'fsub {v} {half_square}, {low}')}, {f}")
    return t.let(f"fsub {v} {t.let(f'fmul {v} {e}, {t.real(LN2_HIGH)}')}, {small}")


def _lane_by_lane(function: str, width: int) -> str:
    """Rare functions: one call of the C library for each lane."""
    assert function in LIBM, function
    vector = f"<{width} x double>"
    lines = [
        f"declare double @{function}(double)",
        f"define internal {vector} @vector_{function}({vector} %x) noinline {{",
    ]
    result = "poison"
    for lane in range(width):
        lines += [
            f"  %a{lane} = extractelement {vector} %x, i32 {lane}",
            f"  %b{lane} = call double @{function}(double %a{lane})",
            f"  %c{lane} = insertelement {vector} {result}, double %b{lane}, i32 {lane}",
        ]
        result = f"%c{lane}"
    return "\n".join([*lines, f"  ret {vector} {result}", "}"])
