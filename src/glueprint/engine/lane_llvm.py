"""Scalar code for one lane: records and doses at a stop, storing a finished patient, taking the next."""

from __future__ import annotations

import math

from glueprint.engine.layout import CONTEXT_FIELDS, Workspace
from glueprint.engine.program import Program
from glueprint.engine.reference import FIRST_STEP
from glueprint.engine.status import EVENT
from glueprint.formulas.ir import number

__all__ = ["Scalar", "argument_place", "attend"]


def argument_place(name: str) -> tuple[int, str]:
    """Index and LLVM type of a field of the context."""
    for index, (field, kind) in enumerate(CONTEXT_FIELDS):
        if field == name:
            return index, kind
    raise KeyError(name)


class Scalar:
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
        index, kind = argument_place(name)
        place = self.let(f"getelementptr i64, ptr %ctx, i64 {index}")
        return self.let(f"load {kind}, ptr {place}")

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

    def row(self, field: str, index: str, count: int | str) -> str:
        offset = self.let(f"mul i64 {index}, {count}")
        return self.let(f"getelementptr double, ptr {self.argument(field)}, i64 {offset}")

    def record(self, part: str, index: str) -> None:
        """Write the states at `part` into a row of the records."""
        count = self.argument("recorded")
        row = self.row("records", index, count)
        lane, columns = self.lane(part), self.argument("columns")
        self.add(f"  call void @pick(ptr {lane}, ptr {row}, ptr {columns}, i64 {count})")

    def record_output(self, part: str) -> None:
        """The states at `part` are this lane's next output; look up when the one after is due."""
        place = self.get("output", "i64")
        first = self.let(f"mul i64 {self.get('patient', 'i64')}, {self.argument('outputs')}")
        self.record(part, self.let(f"add i64 {first}, {place}"))
        self.next_output(self.let(f"add i64 {place}, 1"))

    def next_output(self, place: str) -> None:
        """The lane's next output is the one at `place` of the grid; there is none behind its end."""
        self.put("output", "i64", place)
        last = self.let(f"sub i64 {self.argument('outputs')}, 1")
        more = self.let(f"icmp sle i64 {place}, {last}")
        readable = self.let(f"select i1 {more}, i64 {place}, i64 0")
        due = self.read("grid", "double", readable)
        self.put("tout", "double", self.let(f"select i1 {more}, double {due}, double {number(math.inf)}"))


def attend(program: Program, workspace: Workspace, width: int) -> str:
    """Code of @attend(ctx, ws, lane, code): a lane stands at a stop (code 0), has failed (> 0) or is empty (<
    0).

    Returns 1 if the lane has got a new patient.
    """
    c = Scalar(workspace, width)
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
    _pass_stops(c)
    _store_patient(c, size)
    _next_patient(c, program)
    c.add("leave:", "  %new2 = phi i64 [ %newstop, %wait ], [ 1, %stop ]", "  ret i64 %new2", "}")
    return "\n".join(c.lines)


def _pass_stops(c: Scalar) -> None:
    """Records and doses at the present time; then wait for the next stop."""
    c.add(
        "stops:",
        "  %newstop = phi i64 [ 0, %occupied ], [ 1, %load ], [ %newstop, %passed ], [ %newstop, %reads ]",
    )
    horizon, present = c.get("horizon", "double"), c.get("t", "double")
    c.add(
        f"  %event = fcmp ole double {horizon}, {present}",
        "  br i1 %event, label %finish, label %quiet",
        "quiet:",
    )
    output = c.let(f"fcmp ole double {c.get('tout', 'double')}, {present}")
    c.add(f"  br i1 {output}, label %reads, label %read", "reads:")
    c.record_output("y")
    c.add("  br label %stops", "read:")
    cursor, end = c.get("cursor", "i64"), c.get("stop_end", "i64")
    c.add(f"  %all = icmp sge i64 {cursor}, {end}", "  br i1 %all, label %finish, label %look", "look:")
    time, now = c.read("stop_time", "double", cursor), c.get("t", "double")
    c.add(f"  %due = fcmp ole double {time}, {now}", "  br i1 %due, label %record, label %wait", "wait:")
    c.put("tstop", "double", c.let(f"call double @llvm.minnum.f64(double {time}, double {horizon})"))
    c.add("  br label %leave", "record:")
    record = c.read("stop_record", "i64", cursor)
    c.add(f"  %isrec = icmp sge i64 {record}, 0", "  br i1 %isrec, label %dorec, label %dose", "dorec:")
    c.record("y", record)
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
    largest = c.let(
        f"call double @llvm.maxnum.f64(double {c.let(f'load double, ptr {peak}')}, double {size_now})"
    )
    c.add(f"  store double {largest}, ptr {peak}")
    first = c.let(f"call double @llvm.minnum.f64(double {c.get('h', 'double')}, double {number(FIRST_STEP)})")
    c.put("h", "double", first)
    c.add("  br label %passed", "passed:")
    c.put("cursor", "i64", c.let(f"add i64 {cursor}, 1"))
    c.add("  br label %stops")


def _store_patient(c: Scalar, size: int) -> None:
    c.add("finish:", f"  %final = phi i64 [ %code, %occupied ], [ {EVENT}, %stops ], [ 0, %read ]")
    patient = c.get("patient", "i64")
    c.copy("y", c.row("state", patient, size), size, outward=True)
    c.copy("largest", c.row("largest", patient, size), size, outward=True)
    c.write("time", "double", patient, c.get("t", "double"))
    c.write("step", "double", patient, c.get("h", "double"))
    c.write("status", "i64", patient, "%final")
    c.write("cursor", "i64", patient, c.get("cursor", "i64"))
    c.write("bits", "i64", patient, c.get("bits", "i64"))
    c.write("output", "i64", patient, c.get("output", "i64"))
    twice = c.let(f"mul i64 {patient}, 2")
    c.write("steps", "i64", twice, c.get("accepted", "i64"))
    c.write("steps", "i64", c.let(f"add i64 {twice}, 1"), c.get("rejected", "i64"))
    c.add("  br label %next")


def _next_patient(c: Scalar, program: Program) -> None:
    """Take the next patient that has something to do, or leave the lane empty."""
    c.add("next:")
    patient = c.let(f"atomicrmw add ptr {c.argument('next')}, i64 1 monotonic")
    c.add(
        f"  %left = icmp slt i64 {patient}, {c.argument('patients')}",
        "  br i1 %left, label %check, label %stop",
    )
    c.add("stop:")
    c.put("active", "i64", "0")
    c.add("  br label %leave", "check:")
    status = c.read("status", "i64", patient)
    first = c.read("cursor", "i64", patient)
    last = c.read("stop_start", "i64", c.let(f"add i64 {patient}, 1"))
    c.add(
        f"  %bad = icmp ne i64 {status}, 0",
        f"  %none = icmp eq i64 {first}, {last}",
        "  %skip = or i1 %bad, %none",
    )
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
    c.put("h", "double", c.let(f"select i1 {known}, double {step}, double {number(FIRST_STEP)}"))
    for part, value in (("patient", patient), ("cursor", first), ("stop_end", last)):
        c.put(part, "i64", value)
    twice = c.let(f"mul i64 {patient}, 2")
    c.put("accepted", "i64", c.read("steps", "i64", twice))
    c.put("rejected", "i64", c.read("steps", "i64", c.let(f"add i64 {twice}, 1")))
    c.put("active", "i64", "1")
    c.put("bits", "i64", c.read("bits", "i64", patient))
    c.put("horizon", "double", c.read("horizon", "double", patient))
    c.put("trial", "double", number(0.0))
    c.put("nudge", "double", number(1.0))
    c.next_output(c.read("output", "i64", patient))
    c.add("  br label %stops")
