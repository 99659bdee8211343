// The search field: `/` from anywhere, results while typing, arrows to walk through them, Esc to leave.
// What is asked and which answer counts is htmx's business (hx-sync); without scripts the field is a form.

const field = document.getElementById("q");
const box = field?.closest(".search");
const panel = document.getElementById("search-panel");
let cameFrom = null;

const links = () => [...panel.querySelectorAll("a")];
const isTyping = (el) =>
  el.isContentEditable || el.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=submit])");

function close() {
  if (panel) panel.hidden = true;
}

function leave() {
  close();
  if (cameFrom?.isConnected && cameFrom !== document.body) cameFrom.focus();
  else document.activeElement.blur();
}

function walk(step) {
  const all = links();
  const next = all.indexOf(document.activeElement) + step;
  if (next < 0) field.focus();
  else all[Math.min(next, all.length - 1)]?.focus();
}

function onFieldKey(event) {
  if (event.isComposing) return;
  if (event.key === "Escape") {
    event.preventDefault();
    if (document.activeElement !== field) field.focus();
    else leave();
  } else if (panel && !panel.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    walk(event.key === "ArrowDown" ? 1 : -1);
  }
}

document.documentElement.classList.add("js");
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (!field || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  cameFrom = document.activeElement;
  field.focus();
  field.select();
});
box?.addEventListener("keydown", onFieldKey);

if (panel) {
  panel.addEventListener("htmx:beforeSwap", (event) => {
    // an answer to what is no longer in the field, or nothing to say
    if (!field.value.trim() || !box.contains(document.activeElement)) event.detail.shouldSwap = false;
  });
  panel.addEventListener("htmx:afterSwap", () => (panel.hidden = false));
  for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    field.addEventListener(failure, () => {
      panel.textContent = panel.dataset.failed;
      panel.hidden = false;
    });
  }
  field.addEventListener("input", () => field.value.trim() || close());
  field.addEventListener("focus", () => (panel.hidden = !panel.childElementCount || !field.value.trim()));
  box.addEventListener("focusout", (event) => box.contains(event.relatedTarget) || close());
  // a press on a result must not close the panel before it is a click
  panel.addEventListener("mousedown", (event) => event.target.closest("a") && event.preventDefault());
}
