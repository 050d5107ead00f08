"""Puts the whole module together: helpers, kernels of the model, driver."""

from __future__ import annotations

from glueprint.engine import (
    dense_llvm,
    driver_llvm,
    elimination_llvm,
    events_llvm,
    kernels_llvm,
    lane_llvm,
    loops_llvm,
    tableau,
)
from glueprint.engine.layout import Workspace
from glueprint.engine.program import Program
from glueprint.formulas import mathlib_llvm

__all__ = ["module_text"]

KERNELS = (
    kernels_llvm.setup,
    kernels_llvm.factor,
    kernels_llvm.stage,
    kernels_llvm.violated,
    events_llvm.triggers,
)


def module_text(program: Program, width: int) -> str:
    """LLVM text of the program for vectors of `width` doubles; its entry is @run(context, workspace)."""
    workspace = Workspace.of(program)
    helpers = {
        "vector_exp",
        "vector_log",
        f"llvm.fma.v{width}f64",
        f"llvm.fabs.v{width}f64",
    }
    texts = [elimination_llvm.functions(program, width)]
    for make in KERNELS:
        text, used = make(program, width)
        texts.append(text)
        helpers |= used
    declared = []
    for name in sorted(helpers):
        if name == f"llvm.fma.v{width}f64":
            vector = f"<{width} x double>"
            declared.append(f"declare {vector} @{name}({vector}, {vector}, {vector})")
        else:
            declared.append(mathlib_llvm.definition(name, width))
    for intrinsic, arguments in (
        ("fabs", "double"),
        ("maxnum", "double, double"),
        ("minnum", "double, double"),
    ):
        declared.append(f"declare double @llvm.{intrinsic}.f64({arguments})")
    texts += [loops_llvm.combine(program, width, i) for i in range(1, tableau.STAGES)]
    texts.append(loops_llvm.error(program, width))
    texts.append(loops_llvm.accept(program, width))
    texts.append(loops_llvm.copies(width))
    texts.append(events_llvm.locate(program, width))
    texts.append(events_llvm.check(program, workspace, width))
    texts.append(dense_llvm.functions(program, workspace, width))
    texts.append(lane_llvm.attend(program, workspace, width))
    texts.append(driver_llvm.run(program, workspace, width))
    return "\n\n".join([*declared, *texts]) + "\n"
