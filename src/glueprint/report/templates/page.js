"use strict";
// Figures come alive as they are scrolled to; without script, in print and on narrow screens the still SVG stays.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const say = () => { button.textContent = isDark() ? "Light page" : "Dark page"; };
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; say(); });
  dark.addEventListener("change", say);
  say();

  // Sections fold; what is printed or linked to is open.
  const sections = [...document.querySelectorAll("main > section[id]")].filter((one) => one.querySelector(":scope > h2"));
  const fold = (section, folded) => {
    const knob = section.querySelector(":scope > h2 > .fold");
    section.classList.toggle("folded", folded);
    knob.setAttribute("aria-expanded", String(!folded));
    knob.textContent = folded ? "show" : "fold";
  };
  sections.forEach((section) => {
    const head = section.querySelector(":scope > h2");
    const knob = document.createElement("button");
    knob.type = "button";
    knob.className = "fold";
    knob.setAttribute("aria-label", `Fold: ${head.textContent.trim()}`);
    head.append(knob);
    fold(section, false);
    knob.addEventListener("click", () => fold(section, !section.classList.contains("folded")));
  });
  const open = () => {
    const section = document.getElementById(location.hash.slice(1))?.closest("main > section");
    if (section && section.classList.contains("folded")) fold(section, false);
  };
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));

  // The contents say which section is being read.
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const read = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) links.get(target.id)?.setAttribute("aria-current", "true");
      else links.get(target.id)?.removeAttribute("aria-current");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  sections.forEach((section) => read.observe(section));

  // Every table as a file that no spreadsheet computes; a number stays a number.
  const cell = (text) => {
    const plain = text.replace(/\s+/g, " ").trim();
    const kept = /^[=+\-@]/.test(plain) && plain.length > 1 && Number.isNaN(Number(plain)) ? `'${plain}` : plain;
    return /[",]/.test(kept) ? `"${kept.replaceAll('"', '""')}"` : kept;
  };
  document.querySelectorAll("main table").forEach((table) => {
    const name = table.closest("section")?.id || "table";
    const knob = document.createElement("button");
    knob.type = "button";
    knob.className = "csv";
    knob.textContent = "Table as CSV";
    knob.addEventListener("click", () => {
      const rows = [...table.rows].map((row) => [...row.cells].map((one) => cell(one.innerText)).join(","));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${rows.join("\r\n")}\r\n`], { type: "text/csv" }));
      link.download = `${name}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    (table.closest(".scroll") || table).after(knob);
  });

  const config = JSON.parse(document.getElementById("figure-config").textContent);
  const options = {
    mode: "vega-lite", renderer: "svg", ast: true, config, tooltip: { theme: "custom" },
    actions: { export: true, source: false, compiled: false, editor: false },
  };
  const enliven = (figure) => {
    const box = figure.querySelector(".live");
    const spec = JSON.parse(figure.querySelector("script").textContent);
    for (const [name, { fields, rows }] of Object.entries(spec.datasets)) {
      spec.datasets[name] = rows.map((row) => Object.fromEntries(fields.map((field, place) => [field, row[place]])));
    }
    vegaEmbed(box, spec, { ...options, downloadFileName: figure.id })
      .then(() => figure.classList.add("is-live"))
      .catch((problem) => console.warn("figure stays still:", problem));
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      if (entry.target.querySelector(".still").clientWidth >= Number(entry.target.dataset.width)) enliven(entry.target);
    }
  }, { rootMargin: "300px" });
  document.querySelectorAll("figure.figure").forEach((figure) => watcher.observe(figure));
})();
