// The keys of the entry page: with them the mouse is never needed, without them all works too.

const form = document.getElementById("entry");
const button = document.getElementById("submit");
const help = document.getElementById("keys");
const persons = new Map([...form.querySelectorAll(".person")].map((row) => [Number(row.id.slice(1)), row]));
const keys = new Map([...form.querySelectorAll("[data-outcome]")].map((b) => [b.dataset.key, b.dataset.outcome]));
keys.set("e", "corrected");
let current = 0;
let isSent = false;

const outcomeOf = (row) => row.querySelector(".outcome");
const corrects = (outcome) => outcome === "corrected" || outcome === "supplemented";

function goTo(number) {
  const row = persons.get(number);
  if (!row || !outcomeOf(row)) return;
  persons.get(current)?.classList.remove("is-current");
  row.classList.add("is-current");
  current = number;
  document.getElementById("current").textContent = number;
}

// The button says what Enter will do.
function tellButton() {
  const rows = [...persons.values()];
  const chosen = rows.map((row) => outcomeOf(row)?.value).filter(Boolean);
  const asked = rows.filter((row) => row.hasAttribute("data-asked")).length;
  const isAll = chosen.length === asked && chosen.every((value) => value === "matched");
  const { all, none, one, many } = form.dataset;
  const some = chosen.length === 1 ? one : many.replace("#", chosen.length);
  button.firstElementChild.textContent = !chosen.length ? none : isAll ? all : some;
  button.setAttribute("aria-disabled", !chosen.length);
}

// Lines two and three are copies of the first.
function openCorrections(row) {
  const first = row.querySelector("fieldset");
  for (let line = row.querySelectorAll("fieldset").length; line < 3; line++) {
    const copy = first.cloneNode(true);
    for (const field of copy.querySelectorAll("[name]")) {
      field.name = field.name.replace("-c0-", `-c${line}-`);
      field.value = "";
    }
    first.parentNode.insertBefore(copy, row.querySelector(".no-script"));
  }
  row.querySelectorAll("fieldset").forEach(showOld);
}

function showOld(line) {
  const item = line.querySelector("[name$=-field]");
  const text = item.value ? item.selectedOptions[0].text : "";
  const cut = text.indexOf(": ");
  line.querySelector("del").textContent = cut < 0 ? "–" : text.slice(cut + 2);
  line.querySelector("[name$=-new]").setAttribute("list", `new-${item.value}`);
}

function choose(outcome) {
  const row = persons.get(current);
  if (!row) return;
  outcomeOf(row).value = outcome;
  changed(row);
  let field = [...row.querySelectorAll(".asks select, .asks input")].find((el) => el.offsetParent);
  if (corrects(outcome) && row.dataset.item) {
    const item = row.querySelector("[name$=-c0-field]");
    if (!item.value) item.value = row.dataset.item;
    showOld(item.closest("fieldset"));
    field = row.querySelector("[name$=-c0-new]");
  }
  if (field) field.focus();
  else document.activeElement.blur();
}

function changed(row) {
  if (corrects(outcomeOf(row).value)) openCorrections(row);
  tellButton();
}

// An input method may hand over "đ", or nothing yet: then the key's place says which it was.
function letterOf(event) {
  if (/^[a-z0-9?]$/i.test(event.key)) return event.key.toLowerCase();
  const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code);
  return place ? place[1].toLowerCase() : event.key;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target;
  if (target.closest(".search")) return; // its keys are its own (search.js)
  const letter = letterOf(event);
  if (help.open) {
    if (letter === "?") help.close();
    return;
  }
  if (event.key === "Escape") {
    document.activeElement.blur();
  } else if (event.key === "Enter") {
    if (target.closest("a, button, summary") || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit(button);
  } else if (target.matches("input:not([type=radio]), select") || event.repeat) {
    return;
  } else if (letter === "?") {
    help.showModal();
  } else if (letter === "u") {
    document.getElementById("undo")?.requestSubmit();
  } else if (keys.has(letter)) {
    event.preventDefault();
    choose(keys.get(letter));
  } else if (/^[1-9]$/.test(letter)) {
    document.activeElement.blur();
    goTo(Number(letter));
    persons.get(current)?.scrollIntoView({ block: "nearest" });
  }
}

document.documentElement.classList.add("js");
document.addEventListener("keydown", onKey);
document.getElementById("help").addEventListener("click", () => help.showModal());
form.querySelectorAll(".no-script").forEach((el) => (el.hidden = true));
for (const [number, row] of persons) {
  for (const type of ["focusin", "click"]) row.addEventListener(type, () => goTo(number));
  if (outcomeOf(row)) changed(row);
}
form.addEventListener("change", (event) => {
  if (event.target.matches(".outcome")) changed(event.target.closest(".person"));
  if (event.target.matches("[name$=-field]")) showOld(event.target.closest("fieldset"));
});
form.addEventListener("click", (event) => {
  const outcome = event.target.closest("[data-outcome]")?.dataset.outcome;
  if (outcome) choose(outcome);
});
// Twice is once; on a lost line it may be tried again: the server counts a submission once.
form.addEventListener("submit", (event) => {
  if (isSent) return event.preventDefault();
  isSent = true;
  button.setAttribute("aria-disabled", true);
  setTimeout(() => {
    isSent = false;
    tellButton();
  }, 5000);
});
// What another outcome asked for is not sent along.
form.addEventListener("formdata", ({ formData }) => {
  for (const asks of form.querySelectorAll("[data-for]")) {
    const isAsked = asks.dataset.for.split(" ").includes(outcomeOf(asks.closest(".person")).value);
    if (!isAsked) asks.querySelectorAll("[name]").forEach((field) => formData.delete(field.name));
  }
});
goTo(Number(form.dataset.current));
if (location.search.includes("person=")) persons.get(current)?.scrollIntoView({ block: "nearest" });
const refused = form.querySelector("[aria-invalid]") ?? form.querySelector(".is-bad [name$=-c0-new]:not([value=''])");
refused?.focus();
refused?.select?.();
