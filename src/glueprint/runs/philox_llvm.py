"""Philox4x64-10 in machine code: one counter after another, four uniform numbers each.

Source: Salmon et al. 2011, doi 10.1145/2063384.2063405, with the multipliers and Weyl increments of table 2.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Callable

from glueprint.formulas.cache import default_cache
from glueprint.formulas.compiler import load
from glueprint.formulas.ir import number

__all__ = ["fill"]

MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
ROUNDS = 10
# Entry fill(n, count, units, keys, numbers): row i of numbers (n, count) is of unit units[i] and the key in
# row i of keys (n, 2). A word's upper 53 bits and a half more, so that neither 0 nor 1 comes.
ENTRIES = {"fill": (ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * 3)}
TEXT = """define void @fill(i64 %n, i64 %count, ptr %units, ptr %keys, ptr %numbers) nounwind {{
entry:
  %words = alloca [4 x double]
  %some = icmp sgt i64 %n, 0
  %any = icmp sgt i64 %count, 0
  %work = and i1 %some, %any
  br i1 %work, label %unit, label %done
unit:
  %i = phi i64 [ 0, %entry ], [ %i2, %ended ]
  %pu = getelementptr i64, ptr %units, i64 %i
  %u = load i64, ptr %pu
  %i0 = mul i64 %i, 2
  %pk = getelementptr i64, ptr %keys, i64 %i0
  %pl = getelementptr i64, ptr %pk, i64 1
  %k0 = load i64, ptr %pk
  %l0 = load i64, ptr %pl
  %at = mul i64 %i, %count
  %row = getelementptr double, ptr %numbers, i64 %at
  br label %block
block:
  %j = phi i64 [ 0, %unit ], [ %j2, %copied ]
{rounds}
{stores}
  %first = mul i64 %j, 4
  %left = sub i64 %count, %first
  %short = icmp slt i64 %left, 4
  %some4 = select i1 %short, i64 %left, i64 4
  %to = getelementptr double, ptr %row, i64 %first
  %bytes = mul i64 %some4, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %words, i64 %bytes, i1 false)
  br label %copied
copied:
  %j2 = add i64 %j, 1
  %more = icmp sgt i64 %left, 4
  br i1 %more, label %block, label %ended
ended:
  %i2 = add i64 %i, 1
  %again = icmp slt i64 %i2, %n
  br i1 %again, label %unit, label %done
done:
  ret void
}}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""


@functools.cache
def fill() -> Callable[..., None]:
    """The entry `fill`, compiled once."""
    text = TEXT.format(rounds="\n".join(_rounds()), stores="\n".join(_stores()))
    key = f"streams/{hashlib.sha256(text.encode()).hexdigest()}"
    return load(key, lambda: text, default_cache(), ENTRIES).functions["fill"]


def _rounds() -> list[str]:
    """From the counter (%j, 0, 0, %u) and the key (%k0, %l0) to four words."""
    lines, words, keys = [], ["%j", "0", "0", "%u"], ["%k0", "%l0"]
    for r in range(ROUNDS):
        for half, (word, factor) in enumerate(zip(words[::2], MULTIPLIERS, strict=True)):
            name = f"{half}.{r}"
            lines += [
                f"  %wide{name} = zext i64 {word} to i128",
                f"  %product{name} = mul i128 %wide{name}, {factor}",
                f"  %low{name} = trunc i128 %product{name} to i64",
                f"  %up{name} = lshr i128 %product{name}, 64",
                f"  %high{name} = trunc i128 %up{name} to i64",
            ]
        for half in (0, 1):
            lines += [
                f"  %mixed{half}.{r} = xor i64 %high{1 - half}.{r}, {words[2 * half + 1]}",
                f"  %even{half}.{r} = xor i64 %mixed{half}.{r}, {keys[half]}",
                f"  %key{half}.{r} = add i64 {keys[half]}, {WEYL[half]}",
            ]
        words = [f"%even0.{r}", f"%low1.{r}", f"%even1.{r}", f"%low0.{r}"]
        keys = [f"%key0.{r}", f"%key1.{r}"]
    return lines + [f"  %word{i} = add i64 {word}, 0" for i, word in enumerate(words)]


def _stores() -> list[str]:
    """The words as numbers between 0 and 1."""
    return [
        line
        for i in range(4)
        for line in (
            f"  %bits{i} = lshr i64 %word{i}, 11",
            f"  %whole{i} = uitofp i64 %bits{i} to double",
            f"  %half{i} = fadd double %whole{i}, {number(0.5)}",
            f"  %uniform{i} = fmul double %half{i}, {number(2.0**-53)}",
            f"  %place{i} = getelementptr double, ptr %words, i64 {i}",
            f"  store double %uniform{i}, ptr %place{i}",
        )
    ]
