"""Outputs between the ends of a step: the method's own interpolant, and whether it is good enough.

p(x) has order 4, the step 5. How far p misses the equation, f(p) - p', tells its error: divided by the matrix
of the step, (I/(h gamma) - J), it has the error's size in slow and in fast components alike, while the error
estimate of the step does not see a fast component that follows a slow one. Where p is not good enough, the
step is taken again, shorter, or up to the output.
"""

from __future__ import annotations

from glueprint.engine import tableau
from glueprint.engine.kernels_llvm import middle
from glueprint.engine.lane_llvm import Scalar
from glueprint.engine.layout import Workspace
from glueprint.engine.loops_llvm import loop, weight
from glueprint.engine.program import Program
from glueprint.formulas.ir import Block, splat

__all__ = ["PLACES", "SAFETY", "functions"]

# Where p is compared with the equation. Over the nine elementary differentials of order 5, linear equations
# from slow to infinitely fast and fast components that follow slow ones, the larger of the two misses is
# between 0.35 and 2 times the largest error of p inside the step (tests/engine/test_dense.py).
PLACES = (0.25, 0.8)
SAFETY = 2.0  # factor on the larger miss


def functions(program: Program, workspace: Workspace, width: int) -> str:
    """Code of @curve, @between, @miss, @curve_error and @outputs."""
    return "\n".join(
        [
            _curve(program, width),
            _between(program, width, missing=False),
            _between(program, width, missing=True),
            _curve_error(program, workspace, width),
            _outputs(workspace, width),
        ]
    )


def _curve(program: Program, width: int) -> str:
    """Code of @curve(y, u, k): by state the value before the step and the interpolant's coefficients."""
    block, size = Block(width), program.states
    rows = [block.let(f"getelementptr {block.vector}, ptr %k, i64 {i * size}") for i in range(4)]
    block.store_at(block.load_at("%y", "%i"), rows[0], "%i")
    stages = []
    for j in range(tableau.STAGES):
        base = block.let(f"getelementptr {block.vector}, ptr %u, i64 {j * size}")
        stages.append(block.load_at(base, "%i"))
    for row, weights in zip(rows[1:], tableau.DENSE, strict=True):
        total = block.infix("mul", stages[0], block.const(weights[0]))
        for value, share in zip(stages[1:], weights[1:], strict=True):
            total = block.infix("add", total, block.infix("mul", value, block.const(share)))
        block.store_at(total, row, "%i")
    return loop("curve", "ptr noalias %y, ptr noalias %u, ptr noalias %k", block.lines, size, "%i")


def _between(program: Program, width: int, *, missing: bool) -> str:
    """Code of @between(k, z, d, x): d = p(x); and of @miss(k, z, d, x, e, invh), with e = -p'(x) / h too."""
    block, size = Block(width), program.states
    rows = [block.let(f"getelementptr {block.vector}, ptr %k, i64 {i * size}") for i in range(4)]
    before, k1, k2, k3 = (block.load_at(row, "%i") for row in rows)
    after = block.load_at("%z", "%i")
    rest = block.infix("sub", block.const(1.0), "%x")
    inner = block.infix("add", k2, block.infix("mul", "%x", k3))
    inner = block.infix("add", k1, block.infix("mul", "%x", inner))
    outer = block.infix("add", after, block.infix("mul", rest, inner))
    value = block.infix("add", block.infix("mul", rest, before), block.infix("mul", "%x", outer))
    block.store_at(value, "%d", "%i")
    v = block.vector
    arguments = f"ptr noalias %k, ptr noalias %z, ptr noalias %d, {v} %x"
    if not missing:
        return loop("between", arguments, block.lines, size, "%i")
    steeper = block.infix("add", k2, block.infix("mul", "%x", block.infix("add", k3, k3)))
    bend = block.infix("sub", block.infix("mul", rest, steeper), inner)
    slope = block.infix("sub", block.infix("add", outer, block.infix("mul", "%x", bend)), before)
    lost = block.let(f"fneg {v} {block.infix('mul', slope, '%invh')}")
    block.store_at(lost, "%e", "%i")
    return loop("miss", f"{arguments}, ptr noalias %e, {v} %invh", block.lines, size, "%i")


def _parts(workspace: Workspace, vector: str, names: tuple[str, ...]) -> str:
    return "\n".join(
        f"  %p_{name} = getelementptr {vector}, ptr %ws, i64 {workspace.offsets[name]}" for name in names
    )


def _curve_error(program: Program, workspace: Workspace, width: int) -> str:
    """Code of @curve_error(ws, t, h, m, tolerance, floor, smallest): the interpolant's error as a norm.

    It is the mean of squares of error over weight, as for the step. Leaves the interpolant in the workspace.
    """
    v = f"<{width} x double>"
    common = ("y", "u", "k", "z", "d", "e", "d2", "e2", "q", "s", "l", "largest")
    names = (*common, *(("r",) if program.gains else ()))
    half = middle(program, v)
    lines = [
        _curve_norm(program, width),
        f"define internal {v} @curve_error(ptr %ws, {v} %t, {v} %h, {half}{v} %tol, {v} %floor, "
        "ptr %smallest) noinline nounwind {",
        _parts(workspace, v, names),
        f"  %invh = fdiv {v} {splat(1.0, width)}, %h",
        "  call void @curve(ptr %p_y, ptr %p_u, ptr %p_k)",
    ]
    for place, d, e in zip(PLACES, ("d", "d2"), ("e", "e2"), strict=True):
        lines += [
            f"  call void @miss(ptr %p_k, ptr %p_z, ptr %p_{d}, {v} {splat(place, width)}, "
            f"ptr %p_{e}, {v} %invh)",
            f"  %way{d} = fmul {v} %h, {splat(place, width)}",
            f"  %at{d} = fadd {v} %t, %way{d}",
            f"  call void @stage(ptr %p_{d}, ptr %p_q, {v} %at{d}, {half}{v} zeroinitializer, ptr %p_s, "
            f"ptr %p_l, ptr %p_{e})",
        ]
    rounded = ", ptr %p_r" if program.gains else ""
    moving = sum(program.graph.constant(node) != 0.0 for node in program.rates)
    lines += [
        f"  %sum = call {v} @curve_norm(ptr %p_d, ptr %p_d2, ptr %p_e, ptr %p_e2, ptr %p_largest, "
        f"ptr %smallest, {v} %tol, {v} %floor{rounded})",
        f"  %norm = fmul {v} %sum, {splat(SAFETY**2 / max(moving, 1), width)}",
        f"  ret {v} %norm",
        "}",
    ]
    return "\n".join(lines)


def _curve_norm(program: Program, width: int) -> str:
    """Code of @curve_norm: the sum over the states of (larger miss / smaller weight)^2, weighted as for a
    step.
    """
    v, mask, align = f"<{width} x double>", f"<{width} x i1>", 8 * width
    loads = "\n".join(
        f"  %p_{name} = getelementptr {v}, ptr %{name}, i64 %k\n"
        f"  %v_{name} = load {v}, ptr %p_{name}, align {align}"
        for name in ("d", "d2", "e", "e2", "largest")
    )
    sizes = "\n".join(
        f"  %a_{name} = call {v} @llvm.fabs.v{width}f64({v} %v_{name})" for name in ("d", "d2", "e", "e2")
    )
    rounded = ", ptr noalias %r" if program.gains else ""
    pointers = ", ".join(f"ptr noalias %{name}" for name in ("d", "d2", "e", "e2", "largest", "small"))
    return f"""define internal {v} @curve_norm({pointers}, {v} %tol, {v} %floor{rounded}) noinline {{
entry:
  br label %body
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %sum = phi {v} [ zeroinitializer, %entry ], [ %sum2, %body ]
{loads}
{sizes}
  %first = fcmp ugt {v} %a_e, %a_e2
  %miss = select {mask} %first, {v} %a_e, {v} %a_e2
  %less = fcmp olt {v} %a_d, %a_d2
  %size = select {mask} %less, {v} %a_d, {v} %a_d2
{weight(program, width, "%size", "%v_largest", "%floor")}
  %ratio = fdiv {v} %miss, %weight
  %square = fmul contract {v} %ratio, %ratio
  %sum2 = fadd contract {v} %sum, %square
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, {program.states}
  br i1 %more, label %body, label %done
done:
  ret {v} %sum2
}}"""


def _outputs(workspace: Workspace, width: int) -> str:
    """Code of @outputs(ctx, ws, mask, t, h, after): lanes of `mask` record what lies before `after`."""
    v, mask, align = f"<{width} x double>", f"<{width} x i1>", 8 * width
    lines = [
        f"define internal void @outputs(ptr %ctx, ptr %ws, {mask} %mask, {v} %t, {v} %h, {v} %after) "
        "noinline nounwind {",
        "entry:",
        _parts(workspace, v, ("k", "z", "d", "tout")),
        "  br label %loop",
        "loop:",
        f"  %next = load {v}, ptr %p_tout, align {align}",
        f"  %inside = fcmp olt {v} %next, %after",
        f"  %due = and {mask} %inside, %mask",
        f"  %bits = bitcast {mask} %due to i{width}",
        f"  %any = icmp ne i{width} %bits, 0",
        "  br i1 %any, label %body, label %done",
        "body:",
        f"  %way = fsub {v} %next, %t",
        f"  %x = fdiv {v} %way, %h",
        f"  call void @between(ptr %p_k, ptr %p_z, ptr %p_d, {v} %x)",
        "  br label %test0",
    ]
    for lane in range(width):
        lines += [
            f"test{lane}:",
            f"  %is{lane} = extractelement {mask} %due, i32 {lane}",
            f"  br i1 %is{lane}, label %write{lane}, label %test{lane + 1}",
            f"write{lane}:",
            f"  call void @output(ptr %ctx, ptr %ws, i64 {lane})",
            f"  br label %test{lane + 1}",
        ]
    lines += [f"test{width}:", "  br label %loop", "done:", "  ret void", "}"]
    return "\n".join([_output(workspace, width), *lines])


def _output(workspace: Workspace, width: int) -> str:
    """Code of @output(ctx, ws, lane): records the state at d as a lane's next output."""
    c = Scalar(workspace, width)
    c.add(
        "define internal void @output(ptr %ctx, ptr %ws, i64 %lane) noinline nounwind {",
        "  %lanes = getelementptr double, ptr %ws, i64 %lane",
    )
    c.record_output("d")
    c.add("  ret void", "}")
    return "\n".join(c.lines)
