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
