"use strict";
// Before the first paint: the page has the colours that were chosen last.
(() => {
  const chosen = localStorage.getItem("glueprint-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
