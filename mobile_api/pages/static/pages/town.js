// What plain forms cannot do: catch a scanner gun, ask before an act that cannot be undone, tell the outcome aloud.
"use strict";

const GUN_GAP = 60; // milliseconds between two keys of a scanner gun at the most; fingers are slower
const GUN_LENGTH = 6;

function catchGun(form) {
  const field = form.elements.code;
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.target === field || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - last > GUN_GAP) typed = "";
    last = event.timeStamp;
    if (event.key === "Enter" && typed.length >= GUN_LENGTH) {
      event.preventDefault();
      field.value = typed;
      typed = "";
      form.requestSubmit();
    } else if (event.key.length === 1) {
      typed += event.key;
    }
  });
  form.addEventListener("submit", () => requestAnimationFrame(() => field.select()));
}

function announce(line) {
  // A live region is read when it changes, not when it comes with the page.
  setTimeout(() => { line.textContent = line.dataset.announce; }, 100);
}

function once(form) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });
}

document.querySelectorAll("[data-scan]").forEach(catchGun);
document.querySelectorAll("[data-announce]").forEach(announce);
document.querySelectorAll("form[method=post]").forEach(once);
document.querySelectorAll("[data-submit]").forEach((field) => field.addEventListener("change", () => field.form.requestSubmit()));
document.querySelectorAll("[data-confirm]").forEach((button) =>
  button.addEventListener("click", (event) => {
    if (!window.confirm(button.dataset.confirm)) event.preventDefault();
  }),
);
