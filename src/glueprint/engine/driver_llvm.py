"""The loop over steps in LLVM's text form: every lane its own patient, time and step.

A rejected lane keeps its state; a finished lane stores its patient and takes the next one from a shared
counter, so lanes and threads never wait for one another. Nothing a lane computes depends on another lane.
"""

from __future__ import annotations

from dataclasses import dataclass

from glueprint.engine import tableau
from glueprint.engine.events_llvm import own_bits
from glueprint.engine.kernels_llvm import middle
from glueprint.engine.lane_llvm import argument_place
from glueprint.engine.layout import Workspace
from glueprint.engine.program import Program
from glueprint.engine.reference import GROW, INSTANT, SAFETY, SHORTEST, SHRINK
from glueprint.engine.status import EVENT, Status
from glueprint.formulas.ir import splat

__all__ = ["run"]

CLOSEST = 4e-16  # of the time: an event is not located more closely


class _Run:
    """Text of the vector loop."""

    def __init__(self, program: Program, workspace: Workspace, width: int) -> None:
        self.program, self.workspace, self.width = program, workspace, width
        self.v, self.w, self.m = f"<{width} x double>", f"<{width} x i64>", f"<{width} x i1>"
        self.lines: list[str] = []
        self.count = 0

    def add(self, *lines: str) -> None:
        self.lines += lines

    def let(self, right: str) -> str:
        self.count += 1
        self.lines.append(f"  %r{self.count} = {right}")
        return f"%r{self.count}"

    def real(self, value: float) -> str:
        return splat(value, self.width)

    def whole(self, value: int) -> str:
        return "<" + ", ".join([f"i64 {value}"] * self.width) + ">"

    def pointer(self, part: str) -> str:
        return f"%p_{part}"

    def get(self, part: str, kind: str) -> str:
        return self.let(f"load {kind}, ptr {self.pointer(part)}, align {8 * self.width}")

    def put(self, part: str, kind: str, value: str) -> None:
        self.add(f"  store {kind} {value}, ptr {self.pointer(part)}, align {8 * self.width}")

    def op(self, op: str, a: str, b: str) -> str:
        return self.let(f"{op} {self.v} {a}, {b}")

    def choose(self, mask: str, a: str, b: str) -> str:
        return self.let(f"select {self.m} {mask}, {self.v} {a}, {self.v} {b}")

    def negate(self, mask: str) -> str:
        ones = "<" + ", ".join(["i1 true"] * self.width) + ">"
        return self.let(f"xor {self.m} {mask}, {ones}")

    def any(self, mask: str) -> str:
        bits = self.let(f"bitcast {self.m} {mask} to i{self.width}")
        return self.let(f"icmp ne i{self.width} {bits}, 0")

    def broadcast(self, scalar: str) -> str:
        one = self.let(f"insertelement {self.v} poison, double {scalar}, i32 0")
        zeros = "<" + ", ".join(["i32 0"] * self.width) + ">"
        return self.let(f"shufflevector {self.v} {one}, {self.v} poison, <{self.width} x i32> {zeros}")


def run(program: Program, workspace: Workspace, width: int) -> str:
    """Code of @run(ctx, ws), called once by every thread."""
    r = _Run(program, workspace, width)
    r.add("define void @run(ptr noalias %ctx, ptr noalias %ws) nounwind {", "entry:")
    for part, offset in workspace.offsets.items():
        r.add(f"  %p_{part} = getelementptr {r.v}, ptr %ws, i64 {offset}")
    for name in ("tolerance", "floor", "longest", "smallest", "step_limit", "between"):
        index, kind = argument_place(name)
        place = r.let(f"getelementptr i64, ptr %ctx, i64 {index}")
        r.add(f"  %{name} = load {kind}, ptr {place}")
    tolerance, floor, longest = (r.broadcast(f"%{name}") for name in ("tolerance", "floor", "longest"))
    r.put("h", r.v, r.real(1.0))
    for lane in range(width):
        r.let(f"call i64 @attend(ptr %ctx, ptr %ws, i64 {lane}, i64 -1)")
    r.add("  br label %fresh", "fresh:", "  call void @setup(ptr %p_p, ptr %p_q)")
    if program.violations:
        suspect = _violated(r, r.get("t", r.v), tolerance)
        r.put("suspect", r.w, r.let(f"zext {r.m} {suspect} to {r.w}"))
    r.add("  br label %loop", "loop:")
    active = r.let(f"icmp ne {r.w} {r.get('active', r.w)}, {r.whole(0)}")
    r.add(f"  br i1 {r.any(active)}, label %step, label %exit", "exit:", "  ret void", "step:")
    t, wished, stop = r.get("t", r.v), r.get("h", r.v), r.get("tstop", r.v)
    wished = r.choose(r.let(f"fcmp olt {r.v} {wished}, {longest}"), wished, longest)
    hits, h = _step_size(r, t, wished, stop)
    _stages(r, t, h)
    short = r.op("fmul", r.op("fsub", stop, t), r.real(INSTANT))
    instant = r.let(f"fcmp ole {r.v} {h}, {short}")
    last = _is_last(r, t, h)
    norm = _error_norm(r, tolerance, floor, instant, last)
    accepted = r.let(f"and {r.m} {r.let(f'fcmp ole {r.v} {norm}, {r.real(1.0)}')}, {active}")
    after = r.choose(hits, stop, r.op("fadd", t, h))
    weights = f"{r.v} {r.broadcast('%between')}, {r.v} {floor}"
    accepted, goes_back, again, between = _refuse_outputs(
        r, t=t, h=h, after=after, accepted=accepted, wished=wished, weights=weights
    )
    located, changed = None, None
    if program.has_conditions:
        accepted, located, changed = _look_for_events(r, t=t, h=h, after=after, accepted=accepted)
    r.add(f"  call void @accept(ptr %p_y, ptr %p_z, ptr %p_largest, {r.m} {accepted})")
    now = r.choose(accepted, after, t)
    r.put("t", r.v, now)
    larger = r.choose(r.let(f"fcmp ogt {r.v} {between}, {norm}"), between, norm)
    new = _next_step(r, larger, accepted, h, wished)
    if located is not None:
        again = r.choose(located, wished, again)
        goes_back = r.let(f"or {r.m} {goes_back}, {located}")
    r.put("h", r.v, r.choose(goes_back, again, new))
    outside = _violated(r, now, tolerance) if program.violations else None
    step = _Step(active, accepted, hits, h, t, norm, last, goes_back, changed, outside)
    _attend_lanes(r, step, now)
    r.add("}")
    return "\n".join(r.lines)


def _violated(r: _Run, t: str, tolerance: str) -> str:
    return r.let(f"call {r.m} @violated(ptr %p_y, ptr %p_q, {r.v} {t}, ptr %p_largest, {r.v} {tolerance})")


def _refuse_outputs(
    r: _Run, *, t: str, h: str, after: str, accepted: str, wished: str, weights: str
) -> tuple[str, str, str, str]:
    """Where the interpolant is not good enough for the outputs inside a step, the lane goes back: to a
    shorter step if that still reaches an output, and otherwise to one that ends there.

    Returns lanes whose step stands, lanes that go back, the step they take then, and the interpolant's error.
    """
    m, v = r.m, r.v
    due = r.get("tout", v)
    looks = r.let(f"and {m} {accepted}, {r.let(f'fcmp olt {v} {due}, {after}')}")
    r.add(f"  br i1 {r.any(looks)}, label %look, label %looked", "look:")
    half = ""
    if r.program.switched:
        half = middle(r.program, v, r.op("fadd", t, r.op("fmul", h, r.real(0.5))))
    found = r.let(f"call {v} @curve_error(ptr %ws, {v} {t}, {v} {h}, {half}{weights}, ptr %smallest)")
    large = r.let(f"fcmp ugt {v} {found}, {r.real(1.0)}")
    unfit = r.let(f"and {m} {looks}, {large}")
    shorter = _scaled(r, found, h)
    reaches = r.let(f"fcmp ogt {v} {shorter}, {r.op('fsub', due, t)}")
    ends = r.let(f"and {m} {unfit}, {r.negate(reaches)}")
    r.put("tstop", v, r.choose(ends, due, r.get("tstop", v)))
    next_try, seen = r.choose(reaches, shorter, wished), r.choose(looks, found, r.real(0.0))
    r.add("  br label %looked", "looked:")
    refused, again, error = (
        r.let(f"phi {kind} [ {none}, %step ], [ {value}, %look ]")
        for kind, none, value in (
            (m, "zeroinitializer", unfit),
            (v, wished, next_try),
            (v, r.real(0.0), seen),
        )
    )
    return r.let(f"and {m} {accepted}, {r.negate(refused)}"), refused, again, error


def _step_size(r: _Run, t: str, wished: str, stop: str) -> tuple[str, str]:
    """Hit the stop exactly; split what remains in two rather than leave a sliver.

    A step up to a located event is taken as it is.
    """
    left = r.op("fsub", stop, t)
    reach, double = r.op("fmul", wished, r.real(1.0001)), r.op("fmul", wished, r.real(2.0))
    if r.program.has_conditions:
        trial = r.get("trial", r.v)
        is_trial = r.let(f"fcmp ogt {r.v} {trial}, {r.real(0.0)}")
        wished = r.choose(is_trial, trial, wished)
        reach, double = r.choose(is_trial, trial, reach), r.choose(is_trial, r.real(0.0), double)
    hits = r.let(f"fcmp oge {r.v} {reach}, {left}")
    near = r.let(f"fcmp oge {r.v} {double}, {left}")
    half = r.op("fmul", left, r.real(0.5))
    h = r.choose(hits, left, r.choose(near, half, wished))
    # A few roundings before a stop, a step that is shorter than the rest may still round to it.
    arrives = r.let(f"fcmp oge {r.v} {r.op('fadd', t, h)}, {stop}")
    return r.let(f"or {r.m} {hits}, {arrives}"), h


def _look_for_events(r: _Run, *, t: str, h: str, after: str, accepted: str) -> tuple[str, str, str]:
    """Lanes whose step stands, lanes that go back to repeat it up to a condition's change, lanes at a change
    of a trigger.
    """
    v, w, m = r.v, r.w, r.m
    held, half, last = r.get("bits", w), "", ""
    if r.program.switched:
        center = r.op("fadd", t, r.op("fmul", h, r.real(0.5)))
        half, last = middle(r.program, v, center), f", {v} {center}"
    own, bits = r.whole(own_bits(r.program)), held
    if r.program.watched:
        others = r.let(f"call {w} @triggers(ptr %p_y, ptr %p_q, {v} {t}{last})")
        others = r.let(f"and {w} {others}, {r.let(f'xor {w} {own}, {r.whole(-1)}')}")
        bits = r.let(f"or {w} {held}, {others}")
    fraction = r.let(
        f"call {v} @locate(ptr %p_y, ptr %p_z, ptr %p_u, ptr %p_d, ptr %p_q, "
        f"{v} {t}, {v} {h}, {v} {after}, {half}{w} {bits})"
    )
    at_end = r.let(f"call {w} @triggers(ptr %p_z, ptr %p_q, {v} {after}{last})")
    differs = r.let(f"xor {w} {at_end}, {bits}")
    end_differs = r.let(f"icmp ne {w} {differs}, {r.whole(0)}")
    now = r.let(f"and {w} {at_end}, {own}")
    triggered = r.let(f"icmp ne {w} {now}, {held}")
    was_trial = r.let(f"fcmp ogt {v} {r.get('trial', v)}, {r.real(0.0)}")
    within = r.let(f"fcmp olt {v} {fraction}, {r.real(1.0)}")
    age = r.let(f"call {v} @llvm.fabs.v{r.width}f64({v} {t})")
    # Where rounding hides a change from the repeated step, each further trial reaches four times as far.
    nudge = r.get("nudge", v)
    least = r.op("fmul", r.op("fmul", r.op("fadd", age, r.real(1e-3)), r.real(CLOSEST)), nudge)
    way = r.op("fmul", fraction, h)
    way = r.choose(r.let(f"fcmp ogt {v} {way}, {least}"), way, least)
    if r.program.watched:
        # A watched condition that changes to and fro is one that the solution slides along: let it pass.
        passes = r.let(f"or {m} {r.let(f'fcmp olt {v} {way}, {h}')}, {triggered}")
        within = r.let(f"and {m} {within}, {passes}")
    earlier = r.let(f"and {m} {accepted}, {within}")
    settled = r.let(f"and {m} {was_trial}, {end_differs}")
    located = r.let(f"and {m} {earlier}, {r.negate(settled)}")
    stands = r.let(f"and {m} {accepted}, {r.negate(located)}")
    changed = r.let(f"and {m} {stands}, {triggered}")
    calm = r.let(f"and {m} {stands}, {r.negate(was_trial)}")
    further = r.choose(located, r.op("fmul", nudge, r.real(4.0)), nudge)
    r.put("nudge", v, r.choose(calm, _calmed(r, nudge), further))
    r.put("trial", v, r.choose(located, way, r.real(0.0)))
    r.put("bits", w, r.let(f"select {m} {changed}, {w} {now}, {w} {held}"))
    return stands, located, changed


def _calmed(r: _Run, nudge: str) -> str:
    """The reach of trials after a step without one; along a condition that is slid along it stays wide."""
    if not r.program.watched:
        return r.real(1.0)
    less = r.op("fmul", nudge, r.real(0.5))
    return r.choose(r.let(f"fcmp ogt {r.v} {less}, {r.real(1.0)}"), less, r.real(1.0))


def _stages(r: _Run, t: str, h: str) -> None:
    size, v = r.program.states, r.v
    invh = r.op("fdiv", r.real(1.0), h)
    invhg = r.op("fmul", invh, r.real(1.0 / tableau.GAMMA))
    weighted = r.op("fmul", h, r.real(tableau.GAMMA_SUMS[0]))
    half = r.op("fadd", t, r.op("fmul", h, r.real(0.5))) if r.program.switched else ""
    between = middle(r.program, v, half)
    r.add(
        f"  call void @factor(ptr %p_y, ptr %p_q, {v} {t}, {between}{v} {invhg}, {v} {weighted}, "
        f"ptr %p_s, ptr %p_l, ptr %p_u{', ptr %p_r' if r.program.gains else ''})"
    )
    for i in range(1, tableau.STAGES):
        stage = r.let(f"getelementptr {v}, ptr %p_u, i64 {i * size}")
        r.add(f"  call void @combine{i}(ptr %p_y, ptr %p_u, ptr %p_z, ptr {stage}, {v} {invh})")
        at = r.op("fadd", t, r.op("fmul", h, r.real(tableau.ALPHA[i])))
        weighted = r.op("fmul", h, r.real(tableau.GAMMA_SUMS[i]))
        r.add(
            f"  call void @stage(ptr %p_z, ptr %p_q, {v} {at}, {between}{v} {weighted}, "
            f"ptr %p_s, ptr %p_l, ptr {stage})"
        )


def _is_last(r: _Run, t: str, h: str) -> str:
    """Lanes whose step is not shortened any more, since time has no finer resolution."""
    age = r.let(f"call {r.v} @llvm.fabs.v{r.width}f64({r.v} {t})")
    young = r.let(f"fcmp olt {r.v} {age}, {r.real(1e-3)}")
    shortest = r.op("fmul", r.choose(young, r.real(1e-3), age), r.real(SHORTEST))
    return r.let(f"fcmp ole {r.v} {h}, {shortest}")


def _error_norm(r: _Run, tolerance: str, floor: str, instant: str, shortest: str) -> str:
    """Mean of squares of error over weight; leaves the new state in z."""
    size = r.program.states
    rounded = f", ptr %p_r, {r.m} {shortest}" if r.program.gains else ""
    last = r.let(f"getelementptr {r.v}, ptr %p_u, i64 {(tableau.STAGES - 1) * size}")
    r.add(
        f"  %sum = call {r.v} @error(ptr %p_z, ptr {last}, ptr %p_largest, "
        f"{r.v} {tolerance}, {r.v} {floor}, ptr %smallest, {r.m} {instant}{rounded})"
    )
    moving = sum(r.program.graph.constant(node) != 0.0 for node in r.program.rates)
    return r.op("fmul", "%sum", r.real(1.0 / max(moving, 1)))


def _scaled(r: _Run, norm: str, h: str) -> str:
    """h times 0.9 norm^(-1/5) within limits."""
    logarithm = r.let(f"call {r.v} @vector_log({r.v} {norm})")
    power = r.op("fmul", logarithm, r.real(-0.5 / tableau.ORDER))
    factor = r.op("fmul", r.let(f"call {r.v} @vector_exp({r.v} {power})"), r.real(SAFETY))
    for kind, limit in (("olt", SHRINK), ("ogt", GROW), ("uno", SHRINK)):
        other = factor if kind == "uno" else r.real(limit)
        beyond = r.let(f"fcmp {kind} {r.v} {factor}, {other}")
        factor = r.choose(beyond, r.real(limit), factor)
    return r.op("fmul", h, factor)


def _next_step(r: _Run, norm: str, accepted: str, h: str, wished: str) -> str:
    """The step that suits a norm of the error; one cut short by a stop does not shorten the next."""
    new = _scaled(r, norm, h)
    cut = r.let(f"and {r.m} {accepted}, {r.let(f'fcmp olt {r.v} {h}, {wished}')}")
    keeps = r.let(f"and {r.m} {cut}, {r.let(f'fcmp ogt {r.v} {wished}, {new}')}")
    return r.choose(keeps, wished, new)


@dataclass(frozen=True)
class _Step:
    """Names of what a step has produced."""

    active: str
    accepted: str
    hits: str
    h: str
    t: str
    norm: str
    last: str
    goes_back: str
    changed: str | None
    outside: str | None


def _attend_lanes(r: _Run, step: _Step, now: str) -> None:
    """Count the step; record outputs inside it; lanes at a stop, at an output, at an event or in trouble are
    attended one by one.
    """
    rejected = r.let(f"xor {r.m} {step.accepted}, {step.active}")
    taken = r.whole(0)
    for part, mask in (("accepted", step.accepted), ("rejected", rejected)):
        more = r.let(f"zext {r.m} {mask} to {r.w}")
        total = r.let(f"add {r.w} {r.get(part, r.w)}, {more}")
        r.put(part, r.w, total)
        taken = r.let(f"add {r.w} {taken}, {total}")
    rejected = r.let(f"and {r.m} {rejected}, {r.negate(step.goes_back)}")
    codes = _failure_codes(r, step, rejected, taken)
    fine = r.let(f"icmp eq {r.w} {codes}, {r.whole(0)}")
    stands = r.let(f"and {r.m} {step.accepted}, {fine}")
    if step.changed is not None:
        event = r.let(f"and {r.m} {step.changed}, {fine}")
        codes = r.let(f"select {r.m} {event}, {r.w} {r.whole(EVENT)}, {r.w} {codes}")
    leaves = r.let(f"icmp ne {r.w} {codes}, {r.whole(0)}")
    _record_outputs(r, step, stands, now)
    reached = r.let(f"fcmp ole {r.v} {r.get('tout', r.v)}, {now}")
    arrives = r.let(f"or {r.m} {step.hits}, {reached}")
    at_stop = r.let(f"and {r.m} {step.accepted}, {arrives}")
    busy = r.let(f"or {r.m} {leaves}, {at_stop}")
    r.add(f"  br i1 {r.any(busy)}, label %attention, label %loop", "attention:")
    fresh = "0"
    for lane in range(r.width):
        needs = r.let(f"extractelement {r.m} {busy}, i32 {lane}")
        code = r.let(f"extractelement {r.w} {codes}, i32 {lane}")
        r.add(f"  br i1 {needs}, label %call{lane}, label %after{lane}", f"call{lane}:")
        got = r.let(f"call i64 @attend(ptr %ctx, ptr %ws, i64 {lane}, i64 {code})")
        r.add(f"  br label %after{lane}", f"after{lane}:")
        before = "%attention" if lane == 0 else f"%after{lane - 1}"
        changed = r.let(f"phi i64 [ 0, {before} ], [ {got}, %call{lane} ]")
        fresh = r.let(f"or i64 {fresh}, {changed}")
    r.add(f"  %isfresh = icmp ne i64 {fresh}, 0", "  br i1 %isfresh, label %fresh, label %loop")


def _record_outputs(r: _Run, step: _Step, stands: str, now: str) -> None:
    """Outputs inside the steps of lanes for which the step stands."""
    inside = r.let(f"fcmp olt {r.v} {r.get('tout', r.v)}, {now}")
    due = r.let(f"and {r.m} {stands}, {inside}")
    r.add(
        f"  br i1 {r.any(due)}, label %outputs, label %written",
        "outputs:",
        f"  call void @outputs(ptr %ctx, ptr %ws, {r.m} {due}, {r.v} {step.t}, {r.v} {step.h}, {r.v} {now})",
        "  br label %written",
        "written:",
    )


def _failure_codes(r: _Run, step: _Step, rejected: str, taken: str) -> str:
    """Status of every lane: too short a step, or too many steps; 0 where all is well."""
    norm = step.norm
    stuck = r.let(f"and {r.m} {rejected}, {step.last}")
    undefined = r.let(f"fcmp uno {r.v} {norm}, {norm}")
    infinite = r.let(f"fcmp oeq {r.v} {norm}, {r.real(float('inf'))}")
    broken = r.let(f"or {r.m} {undefined}, {infinite}")

    def pick(mask: str, value: int, other: str) -> str:
        return r.let(f"select {r.m} {mask}, {r.w} {r.whole(value)}, {r.w} {other}")

    short = pick(broken, Status.NOT_FINITE, r.whole(Status.STEP_TOO_SMALL))
    one = r.let(f"insertelement {r.w} poison, i64 %step_limit, i32 0")
    zeros = "<" + ", ".join(["i32 0"] * r.width) + ">"
    limit = r.let(f"shufflevector {r.w} {one}, {r.w} poison, <{r.width} x i32> {zeros}")
    codes = r.whole(0)
    if step.outside is not None:
        before = r.let(f"icmp ne {r.w} {r.get('suspect', r.w)}, {r.whole(0)}")
        either = r.let(f"or {r.m} {step.outside}, {before}")
        lost = r.let(f"and {r.m} {step.accepted}, {either}")
        codes = pick(lost, Status.OUTSIDE_DOMAIN, codes)
    many = r.let(f"and {r.m} {step.active}, {r.let(f'icmp sge {r.w} {taken}, {limit}')}")
    codes = pick(many, Status.STEP_LIMIT, codes)
    return r.let(f"select {r.m} {stuck}, {r.w} {short}, {r.w} {codes}")
