"""Loops over the states of a group of lanes: stage sums, error, acceptance, copies of one lane."""

from __future__ import annotations

from glueprint.engine import tableau
from glueprint.engine.program import Program
from glueprint.engine.reference import INSTANT
from glueprint.formulas.ir import Block, splat

__all__ = ["accept", "combine", "copies", "error", "loop", "weight"]


def combine(program: Program, width: int, stage_number: int) -> str:
    """Code of @combine<i>(y, u, z, b, invh): z = y + sum A_ij U_j and b = sum C_ij U_j / h, state by
    state.
    """
    block = Block(width)
    size, i = program.states, stage_number
    from_last = i >= 6  # stages 7 and 8 start from the point before plus the stage before
    stages = {}
    for j in range(i):
        base = block.let(f"getelementptr {block.vector}, ptr %u, i64 {j * size}")
        stages[j] = block.load_at(base, "%k")
    start = block.load_at("%z" if from_last else "%y", "%k")
    for j, value in stages.items():
        weight = float(tableau.A[i, j])
        if from_last:
            start = block.infix("add", start, value) if j == i - 1 else start
        elif weight != 0.0:
            start = block.infix("add", start, block.infix("mul", value, block.const(weight)))
    past = block.infix("mul", stages[0], block.const(float(tableau.C[i, 0])))
    for j in range(1, i):
        past = block.infix("add", past, block.infix("mul", stages[j], block.const(float(tableau.C[i, j]))))
    block.store_at(start, "%z", "%k")
    block.store_at(block.infix("mul", past, "%invh"), "%b", "%k")
    # u and b are parts of one array that do not overlap, so noalias holds for what is read and written here.
    arguments = f"ptr noalias %y, ptr noalias %u, ptr noalias %z, ptr noalias %b, {block.vector} %invh"
    return loop(f"combine{i}", arguments, block.lines, size)


def loop(name: str, arguments: str, body: list[str], count: int, index: str = "%k") -> str:
    """A function that runs `body` for `index` from 0 to count - 1."""
    return "\n".join(
        [
            f"define internal void @{name}({arguments}) noinline nounwind {{",
            "entry:",
            "  br label %body",
            "body:",
            f"  {index} = phi i64 [ 0, %entry ], [ %next, %body ]",
            *body,
            f"  %next = add i64 {index}, 1",
            f"  %more = icmp ult i64 %next, {count}",
            "  br i1 %more, label %body, label %done",
            "done:",
            "  ret void",
            "}",
        ]
    )


def copies(width: int) -> str:
    """@scatter(lane, row, n) and @gather(lane, row, n): lane values lie `width` doubles apart.

    @pick(lane, row, columns, n) scatters the values at `columns` alone.
    """
    texts = [_pick(width)]
    for name, source, target in (("scatter", "%l", "%m"), ("gather", "%m", "%l")):
        texts.append(
            f"""define internal void @{name}(ptr %lane, ptr %row, i64 %n) noinline nounwind {{
entry:
  %any = icmp ugt i64 %n, 0
  br i1 %any, label %body, label %done
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %k8 = mul i64 %k, {width}
  %l = getelementptr double, ptr %lane, i64 %k8
  %m = getelementptr double, ptr %row, i64 %k
  %v = load double, ptr {source}
  store double %v, ptr {target}
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %done
done:
  ret void
}}"""
        )
    return "\n".join(texts)


def _pick(width: int) -> str:
    return f"""define internal void @pick(ptr %lane, ptr %row, ptr %columns, i64 %n) noinline nounwind {{
entry:
  %any = icmp ugt i64 %n, 0
  br i1 %any, label %body, label %done
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %c = getelementptr i64, ptr %columns, i64 %k
  %column = load i64, ptr %c
  %k8 = mul i64 %column, {width}
  %l = getelementptr double, ptr %lane, i64 %k8
  %m = getelementptr double, ptr %row, i64 %k
  %v = load double, ptr %l
  store double %v, ptr %m
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %done
done:
  ret void
}}"""


def weight(program: Program, width: int, size: str, peak: str, part: str) -> str:
    """Lines that leave in %weight what error state %k may have: a share of its size, of its peak and of its
    least value, and where rounding is reckoned with what that brings.
    """
    v, zeros = f"<{width} x double>", "<" + ", ".join(["i32 0"] * width) + ">"
    asked = "%asked" if program.gains else "%weight"
    rounding = f"""
  %pr = getelementptr {v}, ptr %r, i64 %k
  %rounding = load {v}, ptr %pr, align {8 * width}
  %weight = fadd {v} %asked, %rounding"""
    return f"""  %ps = getelementptr double, ptr %small, i64 %k
  %one = load double, ptr %ps
  %lane = insertelement {v} poison, double %one, i32 0
  %least = shufflevector {v} %lane, {v} poison, <{width} x i32> {zeros}
  %deep = fmul contract {v} {peak}, {part}
  %both = fadd contract {v} %deep, {size}
  %scale = fadd contract {v} %both, %least
  {asked} = fmul {v} %scale, %tol{rounding if program.gains else ""}"""


def error(program: Program, width: int) -> str:
    """Code of @error(z, e, largest, tolerance, floor, smallest, instant, r, last): z += e; the sum of
    (e / weight)^2.

    The weight is the tolerance times size + floor * largest + smallest, and what rounding does (`rounding`).

    A state that leaves 0 for the first time has no size yet to compare its error with: in a step so short
    that the lane counts as `instant` its error is let pass. A state that has become infinite makes the sum no
    number. In a step that cannot be shorter (`last`), a state that is next to nothing of its peak and moves
    by its own size reaches 0 within the resolution of time, and is 0: sqrt(h) of a vessel that runs empty.
    """
    v, align = f"<{width} x double>", 8 * width
    pointers = "ptr noalias %z, ptr noalias %e, ptr noalias %largest"
    mask = f"<{width} x i1>"
    size = "%larger" if program.beside else "%size"
    rounded = f", ptr noalias %r, {mask} %last" if program.gains else ""
    arguments = f"{pointers}, {v} %tol, {v} %part, ptr noalias %small, {mask} %instant{rounded}"
    return f"""{_beside_table(program)}define internal {v} @error({arguments}) noinline {{
entry:
  br label %body
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %sum = phi {v} [ zeroinitializer, %entry ], [ %sum2, %body ]
  %pz = getelementptr {v}, ptr %z, i64 %k
  %pe = getelementptr {v}, ptr %e, i64 %k
  %pl = getelementptr {v}, ptr %largest, i64 %k
  %e1 = load {v}, ptr %pe, align {align}
  %z1 = load {v}, ptr %pz, align {align}
  %new = fadd {v} %z1, %e1
  store {v} %new, ptr %pz, align {align}
  %size = call {v} @llvm.fabs.v{width}f64({v} %new)
  %before = load {v}, ptr %pl, align {align}
  %grows = fcmp ogt {v} %size, %before
  %peak = select {mask} %grows, {v} %size, {v} %before
{_beside(program, width)}{weight(program, width, size, "%peak", "%part")}
  %unborn = fcmp oeq {v} %before, zeroinitializer
  %free{"0" if program.gains else ""} = and {mask} %unborn, %instant
{_emptied(width) if program.gains else ""}  %ratio0 = fdiv {v} %e1, %weight
  %ratio = select {mask} %free, {v} zeroinitializer, {v} %ratio0
  %square = fmul contract {v} %ratio, %ratio
  %check = fmul contract {v} %new, zeroinitializer
  %sound0 = fadd contract {v} %sum, %check
  %sum2 = fadd contract {v} %sound0, %square
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, {program.states}
  br i1 %more, label %body, label %done
done:
  ret {v} %sum2
}}"""


def _beside_table(program: Program) -> str:
    """The state beside which each state's error is small: itself, or what it is a derivative of."""
    if not program.beside:
        return ""
    places = ", ".join(f"i64 {program.beside.get(k, k)}" for k in range(program.states))
    return f"@beside = internal constant [{program.states} x i64] [{places}]\n"


def _beside(program: Program, width: int) -> str:
    """Lines that leave in %larger the size of state %k, or of that beside it, whose new value is known."""
    if not program.beside:
        return ""
    v, mask = f"<{width} x double>", f"<{width} x i1>"
    return f"""  %place = getelementptr i64, ptr @beside, i64 %k
  %other = load i64, ptr %place
  %pb = getelementptr {v}, ptr %z, i64 %other
  %near = load {v}, ptr %pb, align {8 * width}
  %nearby = call {v} @llvm.fabs.v{width}f64({v} %near)
  %exceeds = fcmp ogt {v} %nearby, %size
  %larger = select {mask} %exceeds, {v} %nearby, {v} %size
"""


def _emptied(width: int) -> str:
    """Lines that make state %k 0 where it reaches 0 within the resolution of time, and let its error pass."""
    v, mask = f"<{width} x double>", f"<{width} x i1>"
    return f"""  %miss = call {v} @llvm.fabs.v{width}f64({v} %e1)
  %tenth = fmul {v} %size, {splat(0.1, width)}
  %moves = fcmp ogt {v} %miss, %tenth
  %reach = fadd {v} %size, %miss
  %nothing = fmul {v} %before, {splat(INSTANT, width)}
  %tiny = fcmp olt {v} %reach, %nothing
  %ends = and {mask} %tiny, %last
  %emptied = and {mask} %ends, %moves
  %settled = select {mask} %emptied, {v} zeroinitializer, {v} %new
  store {v} %settled, ptr %pz, align {8 * width}
  %free = or {mask} %free0, %ends
"""


def accept(program: Program, width: int) -> str:
    """Code of @accept(y, z, largest, mask): takes the new state z and its maxima where `mask`."""
    v, mask, align = f"<{width} x double>", f"<{width} x i1>", 8 * width
    pointers = "ptr noalias %y, ptr noalias %z, ptr noalias %largest"
    return f"""define internal void @accept({pointers}, {mask} %mask) noinline {{
entry:
  br label %body
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %py = getelementptr {v}, ptr %y, i64 %k
  %pz = getelementptr {v}, ptr %z, i64 %k
  %pl = getelementptr {v}, ptr %largest, i64 %k
  %y1 = load {v}, ptr %py, align {align}
  %z1 = load {v}, ptr %pz, align {align}
  %new = select {mask} %mask, {v} %z1, {v} %y1
  store {v} %new, ptr %py, align {align}
  %size = call {v} @llvm.fabs.v{width}f64({v} %new)
  %before = load {v}, ptr %pl, align {align}
  %grows = fcmp ogt {v} %size, %before
  %peak = select {mask} %grows, {v} %size, {v} %before
  store {v} %peak, ptr %pl, align {align}
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, {program.states}
  br i1 %more, label %body, label %done
done:
  ret void
}}"""
