// What plain forms cannot do: catch a scanner gun, ask before an act that cannot be undone, bring the answer into focus.
"use strict";

const GUN_GAP = 60; // milliseconds between two keys of a scanner gun at the most; fingers are slower
const GUN_LENGTH = 6;

function catchGun(form) {
  const field = form.elements.code;
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.target === field || event.ctrlKey || event.altKey || event.metaKey) return;
    const now = performance.now();
    if (now - last > GUN_GAP) typed = "";
    last = now;
    if (event.key === "Enter" && typed.length >= GUN_LENGTH) {
      event.preventDefault();
      field.value = typed;
      form.requestSubmit();
    } else if (event.key.length === 1) {
      typed += event.key;
    }
  });
}

document.querySelectorAll("[data-scan]").forEach(catchGun);
document.querySelectorAll("[data-submit]").forEach((field) => field.addEventListener("change", () => field.form.requestSubmit()));
document.querySelectorAll("[data-confirm]").forEach((button) =>
  button.addEventListener("click", (event) => {
    if (!window.confirm(button.dataset.confirm)) event.preventDefault();
  }),
);
document.querySelectorAll("[data-back]").forEach((link) =>
  link.addEventListener("click", (event) => {
    if (history.length > 1) {
      event.preventDefault();
      history.back();
    }
  }),
);
