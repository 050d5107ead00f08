"""The loop over steps in LLVM's text form: every lane its own patient, time and step.

A rejected lane keeps its state; a finished lane stores its patient and takes the next one from a shared counter, so
lanes and threads never wait for one another. Nothing a lane computes depends on another lane.
"""

from __future__ import annotations

from glueprint.engine import tableau
from glueprint.engine.ir import splat
from glueprint.engine.layout import CONTEXT_FIELDS, Workspace
from glueprint.engine.program import Program
from glueprint.engine.reference import FIRST_STEP, GROW, RELATIVE_FLOOR, SAFETY, SHORTEST, SHRINK
from glueprint.engine.status import Status

__all__ = ["attend", "run"]


def _fields() -> dict[str, int]:
    return {name: i for i, (name, _) in enumerate(CONTEXT_FIELDS)}


def _real(value: float) -> str:
    return splat(value, 1).removeprefix("<double ").removesuffix(">")


class _Scalar:
    """Text of scalar code for one lane."""

    def __init__(self, workspace: Workspace, width: int) -> None:
        self.workspace, self.width = workspace, width
        self.lines: list[str] = []
        self.count = 0

    def add(self, *lines: str) -> None:
        self.lines += lines

    def let(self, right: str) -> str:
        self.count += 1
        self.lines.append(f"  %s{self.count} = {right}")
        return f"%s{self.count}"

    def argument(self, name: str) -> str:
        """Value of a field of the context."""
        number = _fields()[name]
        place = self.let(f"getelementptr i64, ptr %ctx, i64 {number}")
        return self.let(f"load {CONTEXT_FIELDS[number][1]}, ptr {place}")

    def lane(self, part: str) -> str:
        """Pointer to this lane's element of the first vector of a part."""
        return self.let(f"getelementptr double, ptr %lanes, i64 {self.workspace.offsets[part] * self.width}")

    def get(self, part: str, kind: str) -> str:
        return self.let(f"load {kind}, ptr {self.lane(part)}")

    def put(self, part: str, kind: str, value: str) -> None:
        self.add(f"  store {kind} {value}, ptr {self.lane(part)}")

    def read(self, field: str, kind: str, index: str) -> str:
        place = self.let(f"getelementptr i64, ptr {self.argument(field)}, i64 {index}")
        return self.let(f"load {kind}, ptr {place}")

    def write(self, field: str, kind: str, index: str, value: str) -> None:
        place = self.let(f"getelementptr i64, ptr {self.argument(field)}, i64 {index}")
        self.add(f"  store {kind} {value}, ptr {place}")

    def copy(self, part: str, row: str, count: int, *, outward: bool) -> None:
        """Copy `count` values between a lane's part and a row in memory."""
        step = self.lane(part)
        self.add(f"  call void @{'scatter' if outward else 'gather'}(ptr {step}, ptr {row}, i64 {count})")

    def row(self, field: str, index: str, count: int) -> str:
        offset = self.let(f"mul i64 {index}, {count}")
        return self.let(f"getelementptr double, ptr {self.argument(field)}, i64 {offset}")


def _copies(width: int) -> str:
    """@scatter(lane, row, n) and @gather(lane, row, n): lane values lie `width` doubles apart."""
    texts = []
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


def attend(program: Program, workspace: Workspace, width: int) -> str:
    """Code of @attend(ctx, ws, lane, code): a lane stands at a stop (code 0), has failed (> 0) or is empty (< 0).

    Returns 1 if the lane has got a new patient.
    """
    c = _Scalar(workspace, width)
    size = program.states
    c.add(
        "define internal i64 @attend(ptr %ctx, ptr %ws, i64 %lane, i64 %code) noinline nounwind {",
        "entry:",
        "  %lanes = getelementptr double, ptr %ws, i64 %lane",
        "  %empty = icmp slt i64 %code, 0",
        "  %failed = icmp ne i64 %code, 0",
        "  br i1 %empty, label %next, label %occupied",
        "occupied:",
        "  br i1 %failed, label %finish, label %stops",
    )
    _pass_stops(c, size)
    _store_patient(c, size)
    _next_patient(c, program)
    c.add("leave:", "  %new2 = phi i64 [ %newstop, %wait ], [ 1, %stop ]", "  ret i64 %new2", "}")
    return _copies(width) + "\n" + "\n".join(c.lines)


def _pass_stops(c: _Scalar, size: int) -> None:
    """Records and doses at the present time; then wait for the next stop."""
    c.add("stops:", "  %newstop = phi i64 [ 0, %occupied ], [ 1, %load ], [ %newstop, %passed ]")
    cursor, end = c.get("cursor", "i64"), c.get("stop_end", "i64")
    c.add(f"  %all = icmp sge i64 {cursor}, {end}", "  br i1 %all, label %finish, label %look", "look:")
    time, now = c.read("stop_time", "double", cursor), c.get("t", "double")
    c.add(f"  %due = fcmp ole double {time}, {now}", "  br i1 %due, label %record, label %wait", "wait:")
    c.put("tstop", "double", time)
    c.add("  br label %leave", "record:")
    record = c.read("stop_record", "i64", cursor)
    c.add(f"  %isrec = icmp sge i64 {record}, 0", "  br i1 %isrec, label %dorec, label %dose", "dorec:")
    c.copy("y", c.row("records", record, size), size, outward=True)
    c.add("  br label %dose", "dose:")
    target = c.read("stop_target", "i64", cursor)
    c.add(f"  %isdose = icmp sge i64 {target}, 0", "  br i1 %isdose, label %dodose, label %passed", "dodose:")
    offset = c.let(f"mul i64 {target}, {c.width}")
    place = c.let(f"getelementptr double, ptr {c.lane('y')}, i64 {offset}")
    before = c.let(f"load double, ptr {place}")
    after = c.let(f"fadd double {before}, {c.read('stop_amount', 'double', cursor)}")
    c.add(f"  store double {after}, ptr {place}")
    peak = c.let(f"getelementptr double, ptr {c.lane('largest')}, i64 {offset}")
    size_now = c.let(f"call double @llvm.fabs.f64(double {after})")
    largest = c.let(f"call double @llvm.maxnum.f64(double {c.let(f'load double, ptr {peak}')}, double {size_now})")
    c.add(f"  store double {largest}, ptr {peak}")
    first = c.let(f"call double @llvm.minnum.f64(double {c.get('h', 'double')}, double {_real(FIRST_STEP)})")
    c.put("h", "double", first)
    c.add("  br label %passed", "passed:")
    c.put("cursor", "i64", c.let(f"add i64 {cursor}, 1"))
    c.add("  br label %stops")


def _store_patient(c: _Scalar, size: int) -> None:
    c.add("finish:")
    patient = c.get("patient", "i64")
    c.copy("y", c.row("state", patient, size), size, outward=True)
    c.copy("largest", c.row("largest", patient, size), size, outward=True)
    c.write("time", "double", patient, c.get("t", "double"))
    c.write("step", "double", patient, c.get("h", "double"))
    c.write("status", "i64", patient, "%code")
    twice = c.let(f"mul i64 {patient}, 2")
    c.write("steps", "i64", twice, c.get("accepted", "i64"))
    c.write("steps", "i64", c.let(f"add i64 {twice}, 1"), c.get("rejected", "i64"))
    c.add("  br label %next")


def _next_patient(c: _Scalar, program: Program) -> None:
    """Take the next patient that has something to do, or leave the lane empty."""
    c.add("next:")
    patient = c.let(f"atomicrmw add ptr {c.argument('next')}, i64 1 monotonic")
    c.add(f"  %left = icmp slt i64 {patient}, {c.argument('patients')}", "  br i1 %left, label %check, label %stop")
    c.add("stop:")
    c.put("active", "i64", "0")
    c.add("  br label %leave", "check:")
    status = c.read("status", "i64", patient)
    first = c.read("stop_start", "i64", patient)
    last = c.read("stop_start", "i64", c.let(f"add i64 {patient}, 1"))
    c.add(f"  %bad = icmp ne i64 {status}, 0", f"  %none = icmp eq i64 {first}, {last}", "  %skip = or i1 %bad, %none")
    c.add("  br i1 %skip, label %next, label %load", "load:")
    for part, field, count in (
        ("y", "state", program.states),
        ("largest", "largest", program.states),
        ("p", "params", program.params),
    ):
        c.copy(part, c.row(field, patient, count), count, outward=False)
    c.put("t", "double", c.read("time", "double", patient))
    step = c.read("step", "double", patient)
    known = c.let(f"fcmp ogt double {step}, 0.0")
    c.put("h", "double", c.let(f"select i1 {known}, double {step}, double {_real(FIRST_STEP)}"))
    for part, value in (("patient", patient), ("cursor", first), ("stop_end", last)):
        c.put(part, "i64", value)
    for part, value in (("active", "1"), ("accepted", "0"), ("rejected", "0")):
        c.put(part, "i64", value)
    c.add("  br label %stops")


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
    fields = _fields()
    for name, kind in (("tolerance", "double"), ("smallest", "double"), ("step_limit", "i64")):
        place = r.let(f"getelementptr i64, ptr %ctx, i64 {fields[name]}")
        r.add(f"  %{name} = load {kind}, ptr {place}")
    tolerance, smallest = r.broadcast("%tolerance"), r.broadcast("%smallest")
    r.put("h", r.v, r.real(1.0))
    for lane in range(width):
        r.let(f"call i64 @attend(ptr %ctx, ptr %ws, i64 {lane}, i64 -1)")
    r.add("  br label %fresh", "fresh:", "  call void @setup(ptr %p_p, ptr %p_q)", "  br label %loop", "loop:")
    active = r.let(f"icmp ne {r.w} {r.get('active', r.w)}, {r.whole(0)}")
    r.add(f"  br i1 {r.any(active)}, label %step, label %exit", "exit:", "  ret void", "step:")
    t, wished, stop = r.get("t", r.v), r.get("h", r.v), r.get("tstop", r.v)
    hits, h = _step_size(r, t, wished, stop)
    _stages(r, t, h)
    norm = _error_norm(r, tolerance, smallest)
    accepted = r.let(f"and {r.m} {r.let(f'fcmp ole {r.v} {norm}, {r.real(1.0)}')}, {active}")
    _accept(r, accepted)
    after = r.choose(hits, stop, r.op("fadd", t, h))
    r.put("t", r.v, r.choose(accepted, after, t))
    r.put("h", r.v, _next_step(r, norm, accepted, h, wished))
    _attend_lanes(r, active=active, accepted=accepted, hits=hits, h=h, t=t, norm=norm)
    r.add("}")
    return "\n".join(r.lines)


def _step_size(r: _Run, t: str, wished: str, stop: str) -> tuple[str, str]:
    """Hit the stop exactly; split what remains in two rather than leave a sliver."""
    left = r.op("fsub", stop, t)
    hits = r.let(f"fcmp oge {r.v} {r.op('fmul', wished, r.real(1.0001))}, {left}")
    near = r.let(f"fcmp oge {r.v} {r.op('fmul', wished, r.real(2.0))}, {left}")
    half = r.op("fmul", left, r.real(0.5))
    return hits, r.choose(hits, left, r.choose(near, half, wished))


def _stages(r: _Run, t: str, h: str) -> None:
    size, v = r.program.states, r.v
    invh = r.op("fdiv", r.real(1.0), h)
    invhg = r.op("fmul", invh, r.real(1.0 / tableau.GAMMA))
    weighted = r.op("fmul", h, r.real(tableau.GAMMA_SUMS[0]))
    r.add(
        f"  call void @factor(ptr %p_y, ptr %p_q, {v} {t}, {v} {invhg}, {v} {weighted}, ptr %p_s, ptr %p_l, ptr %p_u)"
    )
    for i in range(1, tableau.STAGES):
        stage = r.let(f"getelementptr {v}, ptr %p_u, i64 {i * size}")
        r.add(f"  call void @combine{i}(ptr %p_y, ptr %p_u, ptr %p_z, ptr {stage}, {v} {invh})")
        at = r.op("fadd", t, r.op("fmul", h, r.real(tableau.ALPHA[i])))
        weighted = r.op("fmul", h, r.real(tableau.GAMMA_SUMS[i]))
        r.add(
            f"  call void @stage(ptr %p_z, ptr %p_q, {v} {at}, {v} {weighted}, ptr %p_s, ptr %p_l, ptr {stage})"
        )


def _error_norm(r: _Run, tolerance: str, smallest: str) -> str:
    """Mean of squares of error over weight; leaves the new state in z."""
    size = r.program.states
    last = r.let(f"getelementptr {r.v}, ptr %p_u, i64 {(tableau.STAGES - 1) * size}")
    r.add(
        f"  %sum = call {r.v} @error(ptr %p_z, ptr {last}, ptr %p_largest, {r.v} {tolerance}, {r.v} {smallest})"
    )
    moving = sum(r.program.graph.constant(node) != 0.0 for node in r.program.rates)
    return r.op("fmul", "%sum", r.real(1.0 / max(moving, 1)))


def error_function(program: Program, width: int) -> str:
    """Code of @error(z, e, largest, tolerance, smallest): z += e; the sum of (e / weight)^2."""
    v, align = f"<{width} x double>", 8 * width
    return f"""define internal {v} @error(ptr noalias %z, ptr noalias %e, ptr noalias %largest, {v} %tol, {v} %small) noinline {{
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
  %peak = select <{width} x i1> %grows, {v} %size, {v} %before
  %floor = fmul contract {v} %peak, {splat(RELATIVE_FLOOR, width)}
  %both = fadd contract {v} %floor, %size
  %scale = fadd contract {v} %both, %small
  %weight = fmul {v} %scale, %tol
  %ratio = fdiv {v} %e1, %weight
  %square = fmul contract {v} %ratio, %ratio
  %sum2 = fadd contract {v} %sum, %square
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, {program.states}
  br i1 %more, label %body, label %done
done:
  ret {v} %sum2
}}
define internal void @accept(ptr noalias %y, ptr noalias %z, ptr noalias %largest, <{width} x i1> %mask) noinline {{
entry:
  br label %body
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %py = getelementptr {v}, ptr %y, i64 %k
  %pz = getelementptr {v}, ptr %z, i64 %k
  %pl = getelementptr {v}, ptr %largest, i64 %k
  %y1 = load {v}, ptr %py, align {align}
  %z1 = load {v}, ptr %pz, align {align}
  %new = select <{width} x i1> %mask, {v} %z1, {v} %y1
  store {v} %new, ptr %py, align {align}
  %size = call {v} @llvm.fabs.v{width}f64({v} %new)
  %before = load {v}, ptr %pl, align {align}
  %grows = fcmp ogt {v} %size, %before
  %peak = select <{width} x i1> %grows, {v} %size, {v} %before
  store {v} %peak, ptr %pl, align {align}
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, {program.states}
  br i1 %more, label %body, label %done
done:
  ret void
}}"""


def _accept(r: _Run, accepted: str) -> None:
    r.add(f"  call void @accept(ptr %p_y, ptr %p_z, ptr %p_largest, {r.m} {accepted})")


def _next_step(r: _Run, norm: str, accepted: str, h: str, wished: str) -> str:
    """h times 0.9 norm^(-1/5) within limits; a step cut short by a stop does not shorten the next."""
    logarithm = r.let(f"call {r.v} @vector_log({r.v} {norm})")
    power = r.op("fmul", logarithm, r.real(-0.5 / tableau.ORDER))
    factor = r.op("fmul", r.let(f"call {r.v} @vector_exp({r.v} {power})"), r.real(SAFETY))
    for kind, limit in (("olt", SHRINK), ("ogt", GROW), ("uno", SHRINK)):
        other = factor if kind == "uno" else r.real(limit)
        beyond = r.let(f"fcmp {kind} {r.v} {factor}, {other}")
        factor = r.choose(beyond, r.real(limit), factor)
    new = r.op("fmul", h, factor)
    cut = r.let(f"and {r.m} {accepted}, {r.let(f'fcmp olt {r.v} {h}, {wished}')}")
    keeps = r.let(f"and {r.m} {cut}, {r.let(f'fcmp ogt {r.v} {wished}, {new}')}")
    return r.choose(keeps, wished, new)


def _attend_lanes(r: _Run, *, active: str, accepted: str, hits: str, h: str, t: str, norm: str) -> None:
    """Count the step; lanes at a stop or in trouble are attended one by one."""
    rejected = r.let(f"xor {r.m} {accepted}, {active}")
    taken = r.whole(0)
    for part, mask in (("accepted", accepted), ("rejected", rejected)):
        more = r.let(f"zext {r.m} {mask} to {r.w}")
        total = r.let(f"add {r.w} {r.get(part, r.w)}, {more}")
        r.put(part, r.w, total)
        taken = r.let(f"add {r.w} {taken}, {total}")
    codes = _failure_codes(r, rejected=rejected, active=active, taken=taken, h=h, t=t, norm=norm)
    failed = r.let(f"icmp ne {r.w} {codes}, {r.whole(0)}")
    at_stop = r.let(f"and {r.m} {accepted}, {hits}")
    busy = r.let(f"or {r.m} {failed}, {at_stop}")
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


def _failure_codes(r: _Run, *, rejected: str, active: str, taken: str, h: str, t: str, norm: str) -> str:
    """Status of every lane: too short a step, or too many steps; 0 where all is well."""
    age = r.let(f"call {r.v} @llvm.fabs.v{r.width}f64({r.v} {t})")
    young = r.let(f"fcmp olt {r.v} {age}, {r.real(1e-3)}")
    shortest = r.op("fmul", r.choose(young, r.real(1e-3), age), r.real(SHORTEST))
    stuck = r.let(f"and {r.m} {rejected}, {r.let(f'fcmp ole {r.v} {h}, {shortest}')}")
    undefined = r.let(f"fcmp uno {r.v} {norm}, {norm}")
    infinite = r.let(f"fcmp oeq {r.v} {norm}, {r.real(float('inf'))}")
    broken = r.let(f"or {r.m} {undefined}, {infinite}")

    def pick(mask: str, value: int, other: str) -> str:
        return r.let(f"select {r.m} {mask}, {r.w} {r.whole(value)}, {r.w} {other}")

    short = pick(broken, Status.NOT_FINITE, r.whole(Status.STEP_TOO_SMALL))
    one = r.let(f"insertelement {r.w} poison, i64 %step_limit, i32 0")
    zeros = "<" + ", ".join(["i32 0"] * r.width) + ">"
    limit = r.let(f"shufflevector {r.w} {one}, {r.w} poison, <{r.width} x i32> {zeros}")
    many = r.let(f"and {r.m} {active}, {r.let(f'icmp sge {r.w} {taken}, {limit}')}")
    codes = pick(many, Status.STEP_LIMIT, r.whole(0))
    return r.let(f"select {r.m} {stuck}, {r.w} {short}, {r.w} {codes}")
