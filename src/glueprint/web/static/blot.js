"use strict";
// Lanes, rows of bands and single boxes are dragged over the picture; their places are numbers in the form,
// which can be typed as well and are what is sent.
(() => {
  const blot = document.getElementById("blot");
  if (!blot) return;
  const form = document.getElementById("boxes-form");
  const own = document.getElementById("own-boxes");
  const readout = document.getElementById("readout");
  const limits = { x: Number(blot.dataset.columns), y: Number(blot.dataset.rows) };
  const NEAR = 7; // px of the screen within which an edge is taken hold of
  const field = (name) => form.elements.namedItem(name);
  const number = (name) => Number(field(name).value);
  const bandName = (row) => field(`band-${row}-name`).value.trim();
  const original = new Map(); // boxes of their own are known by the band's name as the file has it
  blot.querySelectorAll("[data-band]").forEach((one) => original.set(one.dataset.band, field(`band-${one.dataset.band}-name`).defaultValue));

  const parse = () => {
    const found = new Map();
    own.value.split("\n").forEach((line) => {
      const parts = line.split(",").map((part) => part.trim());
      if (parts.length < 6) return;
      const ends = parts.slice(-4).map((part) => (part === "" ? null : Number(part)));
      found.set(`${parts[0]}|${parts.slice(1, -4).join(", ")}`, ends);
    });
    return found;
  };
  const write = (boxes) => {
    own.value = [...boxes].map(([key, ends]) => [...key.split("|"), ...ends.map((end) => (end === null ? "" : end))].join(", ")).join("\n");
    own.closest("details").open = true;
  };
  const keyOf = (rect) => `${rect.dataset.box}|${original.get(rect.dataset.row)}`;
  const usual = (rect) => [
    number(`band-${rect.dataset.row}-top`), number(`band-${rect.dataset.row}-bottom`),
    number(`lane-${rect.dataset.box}-left`), number(`lane-${rect.dataset.box}-right`),
  ];
  const place = (rect, boxes) => {
    const mine = boxes.get(keyOf(rect)) || [null, null, null, null];
    return usual(rect).map((end, nth) => (mine[nth] === null ? end : mine[nth]));
  };
  const set = (rect, top, bottom, left, right) => {
    if (top !== null) { rect.setAttribute("y", top); rect.setAttribute("height", Math.max(bottom - top, 0)); }
    if (left !== null) { rect.setAttribute("x", left); rect.setAttribute("width", Math.max(right - left, 0)); }
  };
  const show = () => {
    const boxes = parse();
    blot.querySelectorAll("[data-lane]").forEach((rect) => {
      const [left, right] = [number(`lane-${rect.dataset.lane}-left`), number(`lane-${rect.dataset.lane}-right`)];
      set(rect, null, null, left, right);
      blot.querySelector(`[data-lane-name="${rect.dataset.lane}"]`).setAttribute("x", (left + right) / 2);
    });
    blot.querySelectorAll("[data-band]").forEach((rect) => {
      const [top, bottom] = [number(`band-${rect.dataset.band}-top`), number(`band-${rect.dataset.band}-bottom`)];
      set(rect, top, bottom, null, null);
      blot.querySelector(`[data-band-name="${rect.dataset.band}"]`).setAttribute("y", (top + bottom) / 2 + 0.005 * limits.x);
    });
    blot.querySelectorAll("[data-box]").forEach((rect) => {
      set(rect, ...place(rect, boxes));
      rect.classList.toggle("own", boxes.has(keyOf(rect)));
    });
  };

  // What can be dragged: its four ends now, and how new ones are written. Rows hold no left end, lanes no top.
  const held = (rect) => {
    if (rect.dataset.lane !== undefined) {
      const name = `lane-${rect.dataset.lane}`;
      return { words: `Lane ${rect.dataset.lane}`, ends: [null, null, number(`${name}-left`), number(`${name}-right`)],
        keep: ([, , left, right]) => { field(`${name}-left`).value = left; field(`${name}-right`).value = right; } };
    }
    if (rect.dataset.band !== undefined) {
      const name = `band-${rect.dataset.band}`;
      return { words: bandName(rect.dataset.band), ends: [number(`${name}-top`), number(`${name}-bottom`), null, null],
        keep: ([top, bottom]) => { field(`${name}-top`).value = top; field(`${name}-bottom`).value = bottom; } };
    }
    return { words: `Lane ${rect.dataset.box}, ${bandName(rect.dataset.row)}`, ends: place(rect, parse()),
      keep: (ends) => {
        const boxes = parse();
        const mine = usual(rect).map((end, nth) => (ends[nth] === end ? null : ends[nth]));
        if (mine.every((end) => end === null)) boxes.delete(keyOf(rect)); else boxes.set(keyOf(rect), mine);
        write(boxes);
      } };
  };
  const at = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(blot.getScreenCTM().inverse());
  const grip = (ends, point) => {
    const near = NEAR / blot.getScreenCTM().a;
    const axis = (first, last, value) => {
      if (first === null) return [0, 0];
      const reach = Math.min(near, (last - first) / 3);
      if (Math.abs(value - first) <= reach) return [1, 0];
      return Math.abs(value - last) <= reach ? [0, 1] : null;
    };
    const [y, x] = [axis(ends[0], ends[1], point.y), axis(ends[2], ends[3], point.x)];
    const edge = (one) => one !== null && one[0] + one[1] > 0;
    if (!edge(y) && !edge(x)) return [1, 1, 1, 1].map((one, nth) => (ends[nth] === null ? 0 : one));
    return [...(edge(y) ? y : [0, 0]), ...(edge(x) ? x : [0, 0])];
  };
  let drag = null;
  blot.addEventListener("pointerdown", (event) => {
    const rect = event.target.closest("[data-lane], [data-band], [data-box]");
    if (!rect) return;
    event.preventDefault();
    const what = held(rect);
    const point = at(event);
    drag = { what, point, grip: grip(what.ends, point) };
    blot.setPointerCapture(event.pointerId);
  });
  blot.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const point = at(event);
    const moved = [point.y - drag.point.y, point.y - drag.point.y, point.x - drag.point.x, point.x - drag.point.x];
    const most = [limits.y, limits.y, limits.x, limits.x];
    const whole = [0, 2].map((nth) => drag.grip[nth] && drag.grip[nth + 1]);
    const ends = drag.what.ends.map((end, nth) => {
      if (end === null || !drag.grip[nth]) return end;
      const [first, last] = [drag.what.ends[nth - (nth % 2)], drag.what.ends[nth - (nth % 2) + 1]];
      let step = Math.round(moved[nth]);
      if (whole[Math.floor(nth / 2)]) step = Math.min(Math.max(step, -first), most[nth] - last);
      else if (nth % 2) step = Math.min(Math.max(step, first + 1 - last), most[nth] - last);
      else step = Math.min(Math.max(step, -first), last - 1 - first);
      return end + step;
    });
    drag.what.keep(ends);
    readout.textContent = `${drag.what.words}: ${["top", "bottom", "left", "right"].filter((_, nth) => ends[nth] !== null).map((name, _, names) => `${name} ${ends[["top", "bottom", "left", "right"].indexOf(name)]}`).join(", ")}`;
    show();
  });
  blot.addEventListener("pointerup", () => { drag = null; });
  blot.addEventListener("pointercancel", () => { drag = null; });
  form.addEventListener("input", show);
})();
