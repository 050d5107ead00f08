"use strict";
// Pages work without this script; it moves figures with sliders, follows jobs, and asks once before files leave.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // Light and dark.
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const say = () => { button.textContent = isDark() ? "Light page" : "Dark page"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("glueprint-theme", root.dataset.theme);
    say();
  });
  dark.addEventListener("change", say);
  say();

  // A slider and its number are one value; sliders that move in factors stand at powers of ten.
  const short = (value) => String(Number(value.toPrecision(3)));
  document.querySelectorAll("input[type=range][data-for]").forEach((slider) => {
    const field = document.getElementById(slider.dataset.for);
    const byFactor = slider.dataset.log === "yes";
    slider.addEventListener("input", () => {
      field.value = byFactor ? short(10 ** Number(slider.value)) : slider.value;
    });
    field.addEventListener("input", () => {
      const value = Number(field.value);
      if (Number.isFinite(value) && (!byFactor || value > 0)) slider.value = byFactor ? Math.log10(value) : value;
    });
  });

  // A question that a newer one replaced is no error; one that did not arrive is, and htmx says so besides.
  htmx.logger = (_element, name, detail) => {
    if (name === "htmx:sendAbort" || name === "htmx:afterRequest") delete detail.error;
  };

  // What a script sends carries the secret of the session; what is refused is said where it was asked.
  const secret = document.querySelector("meta[name=csrf]").content;
  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Glueprint-CSRF"] = secret; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400) event.detail.shouldSwap = true;
  });

  // A button that was pressed is not pressed twice.
  document.querySelectorAll("form[method=post]").forEach((form) => {
    form.addEventListener("submit", () => {
      form.classList.add("sent");
      form.querySelectorAll("button").forEach((one) => { one.setAttribute("aria-disabled", "true"); });
    });
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form.sent").forEach((form) => {
      form.classList.remove("sent");
      form.querySelectorAll("button").forEach((one) => { one.removeAttribute("aria-disabled"); });
    });
  });
  document.addEventListener("submit", (event) => {
    if (event.target.querySelector("button[aria-disabled=true]") && event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
    setTimeout(() => { delete event.target.dataset.sent; }, 3000);
  }, true);

  // Files that are dropped onto a form are those of its first field.
  document.querySelectorAll("form.drop").forEach((form) => {
    const field = form.querySelector("input[type=file]");
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
    form.addEventListener("dragleave", () => form.classList.remove("over"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("over");
      if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
    });
  });

  // A job is followed; the browser comes back by itself after a cut and says where it was.
  const job = document.getElementById("job");
  if (job && job.dataset.over === "no") {
    const stream = new EventSource(job.dataset.events);
    const first = job.querySelector(".chip").textContent;
    stream.addEventListener("step", (event) => {
      const step = JSON.parse(event.data);
      const bar = document.getElementById("job-bar");
      bar.max = Math.max(step.units_total, 1);
      bar.value = step.units_done;
      document.getElementById("job-what").textContent = step.what;
      const parts = [`${step.units_done} of ${step.units_total} units`];
      if (step.units_per_second) parts.push(`${short(step.units_per_second)} a second`);
      if (step.remaining_s) parts.push(`${Math.round(step.remaining_s)} s to go`);
      if (step.failed_patients) parts.push(`${step.failed_patients} patients failed`);
      document.getElementById("job-numbers").textContent = parts.join(", ");
    });
    stream.addEventListener("state", (event) => {
      const { state, over } = JSON.parse(event.data);
      if (state !== first) { stream.close(); location.reload(); }
      document.getElementById("job-said").textContent = state;
      if (over) stream.close();
    });
  }
})();
