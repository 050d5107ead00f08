"use strict";
// The days of a drug are a text that can be typed; a click on the calendar writes it.
(() => {
  const written = (days) => {
    const runs = [];
    days.forEach((day) => {
      const last = runs[runs.length - 1];
      if (last && last[last.length - 1] === day - 1) last.push(day); else runs.push([day]);
    });
    return runs.map((run) => (run.length > 2 ? `${run[0]}-${run[run.length - 1]}` : run.join(","))).join(",");
  };
  document.querySelectorAll(".calendar").forEach((calendar) => {
    const field = document.getElementById(calendar.dataset.for);
    const buttons = [...calendar.querySelectorAll("button")];
    const on = (button) => button.getAttribute("aria-pressed") === "true";
    buttons.forEach((button) => {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(!on(button)));
        field.value = written(buttons.filter(on).map((one) => Number(one.dataset.day)));
      });
    });
    field.addEventListener("input", () => {
      const days = new Set();
      field.value.split(",").forEach((part) => {
        const found = part.match(/^\s*(\d+)\s*(?:-\s*(\d+)\s*(?:\/\s*(\d+)\s*)?)?$/);
        if (!found) return;
        for (let day = Number(found[1]); day <= Math.min(Number(found[2] || found[1]), buttons.length); day += Math.max(Number(found[3] || 1), 1)) days.add(day);
      });
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(days.has(Number(button.dataset.day)))));
    });
  });
})();
