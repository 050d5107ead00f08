"use strict";
// Wells are chosen as cells of a spreadsheet are; the choice is a text in the forms, which can be typed as well.
(() => {
  const plate = document.getElementById("plate");
  if (!plate) return;
  const rows = Number(plate.dataset.rows);
  const columns = Number(plate.dataset.columns);
  const readout = document.getElementById("readout");
  const fields = document.querySelectorAll("input.wells");
  const wells = [...plate.querySelectorAll(".well")];
  const at = (row, column) => wells[row * columns + column];
  const chosen = new Set();
  let anchor = [0, 0];
  let cursor = [0, 0];
  let dragging = false;

  const show = () => {
    wells.forEach((well) => {
      const is = chosen.has(well.dataset.well);
      well.classList.toggle("chosen", is);
      well.setAttribute("aria-selected", String(is));
    });
    const text = wells.filter((well) => chosen.has(well.dataset.well)).map((well) => well.dataset.well).join(",");
    fields.forEach((field) => { field.value = text; });
  };
  const tell = (well) => { readout.textContent = `${well.dataset.well}: ${well.dataset.words}${chosen.size ? ` (${chosen.size} chosen)` : ""}`; };
  const place = (row, column) => {
    cursor = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
    wells.forEach((well) => well.classList.remove("at"));
    const well = at(...cursor);
    well.classList.add("at");
    plate.setAttribute("aria-activedescendant", well.id);
    tell(well);
  };
  const rectangle = (from, to) => {
    for (let row = Math.min(from[0], to[0]); row <= Math.max(from[0], to[0]); row += 1) {
      for (let column = Math.min(from[1], to[1]); column <= Math.max(from[1], to[1]); column += 1) chosen.add(at(row, column).dataset.well);
    }
  };
  const where = (well) => [Number(well.dataset.row), Number(well.dataset.column)];

  plate.addEventListener("pointerdown", (event) => {
    const head = event.target.closest(".head");
    const well = event.target.closest(".well");
    if (head) {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) chosen.clear();
      if (head.dataset.row !== undefined) rectangle([Number(head.dataset.row), 0], [Number(head.dataset.row), columns - 1]);
      else rectangle([0, Number(head.dataset.column)], [rows - 1, Number(head.dataset.column)]);
      show();
      return;
    }
    if (!well) return;
    event.preventDefault();
    plate.focus({ preventScroll: true });
    if (event.shiftKey) rectangle(anchor, where(well));
    else if (event.ctrlKey || event.metaKey) {
      if (!chosen.delete(well.dataset.well)) chosen.add(well.dataset.well);
      anchor = where(well);
    } else {
      const alone = chosen.size === 1 && chosen.has(well.dataset.well);
      chosen.clear();
      if (!alone) chosen.add(well.dataset.well);
      anchor = where(well);
      dragging = true;
    }
    place(...where(well));
    show();
  });
  plate.addEventListener("pointerover", (event) => {
    const well = event.target.closest(".well");
    if (!well) return;
    tell(well);
    if (dragging && event.buttons === 1) {
      chosen.clear();
      rectangle(anchor, where(well));
      show();
    }
  });
  window.addEventListener("pointerup", () => { dragging = false; });

  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  plate.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      place(cursor[0] + move[0], cursor[1] + move[1]);
      if (event.shiftKey) { chosen.clear(); rectangle(anchor, cursor); show(); } else anchor = [...cursor];
    } else if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      const name = at(...cursor).dataset.well;
      if (!chosen.delete(name)) chosen.add(name);
      anchor = [...cursor];
      show();
      tell(at(...cursor));
    } else if (event.key === "Escape") {
      chosen.clear();
      show();
    } else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      rectangle([0, 0], [rows - 1, columns - 1]);
      show();
    }
  });
  document.querySelectorAll("[data-suspect]").forEach((link) => {
    link.addEventListener("click", (event) => {
      const well = document.getElementById(`w-${link.dataset.suspect}`);
      if (!well) return;
      event.preventDefault();
      chosen.clear();
      chosen.add(well.dataset.well);
      place(...where(well));
      show();
      plate.scrollIntoView({ block: "center" });
      plate.focus({ preventScroll: true });
    });
  });
})();
