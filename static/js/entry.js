// The keys of the entry page. Everything works without them; with them the mouse is never needed.

const form = document.getElementById("entry");
const button = document.getElementById("submit");
const help = document.getElementById("keys");
const persons = new Map([...form.querySelectorAll(".person")].map((row) => [Number(row.id.slice(1)), row]));
const keys = new Map([...form.querySelectorAll("[data-outcome]")].map((b) => [b.dataset.key, b.dataset.outcome]));
keys.set("e", "corrected");
let current = 0;
let isSent = false;

const outcomeOf = (row) => row.querySelector(".outcome");
const isTyping = (el) => el.matches("input:not([type=radio], [type=checkbox], [type=hidden]), select, textarea");
const corrects = (outcome) => outcome === "corrected" || outcome === "supplemented";
const firstShown = (fields) => [...fields].find((field) => field.offsetParent);

function goTo(number, scroll = true) {
  const row = persons.get(number);
  if (!row || !outcomeOf(row)) return;
  persons.get(current)?.classList.remove("is-current");
  row.classList.add("is-current");
  current = number;
  document.getElementById("current").textContent = number;
  if (scroll) row.scrollIntoView({ block: "nearest" });
}

// The button says what Enter will do.
function tellButton() {
  const asked = [...persons.values()].filter((row) => row.hasAttribute("data-asked"));
  const chosen = [...persons.values()].map((row) => outcomeOf(row)?.value).filter(Boolean);
  const allCorrect = chosen.length === asked.length && chosen.every((value) => value === "matched");
  const words = form.dataset;
  button.setAttribute("aria-disabled", !chosen.length);
  button.firstElementChild.textContent = !chosen.length
    ? words.none
    : allCorrect
      ? words.all
      : chosen.length === 1
        ? words.one
        : words.many.replace("#", chosen.length);
}

// Lines two and three of the corrections are copies of the first; each shows what the form says.
function openCorrections(row) {
  const first = row.querySelector(".correction");
  for (let line = row.querySelectorAll(".correction").length; line < 3; line++) {
    const copy = first.cloneNode(true);
    for (const field of copy.querySelectorAll("[name]")) {
      field.name = field.name.replace("-c0-", `-c${line}-`);
      field.value = "";
    }
    first.parentNode.insertBefore(copy, row.querySelector(".no-script"));
  }
  row.querySelectorAll(".correction").forEach(showOld);
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
  const select = row && outcomeOf(row);
  if (!select) return;
  select.value = outcome;
  changed(row);
  let field = firstShown(row.querySelectorAll(".asks select, .asks input"));
  if (corrects(outcome) && row.dataset.item) {
    const item = row.querySelector("[name$=-c0-field]");
    if (!item.value) item.value = row.dataset.item;
    showOld(item.closest(".correction"));
    field = row.querySelector("[name$=-c0-new]");
  }
  if (field) field.focus();
  else document.activeElement.blur();
}

function changed(row) {
  if (corrects(outcomeOf(row).value)) openCorrections(row);
  tellButton();
}

// What another outcome asked for is not sent along.
function dropUnasked() {
  for (const row of persons.values()) {
    const outcome = outcomeOf(row)?.value;
    for (const asks of row.querySelectorAll("[data-for]")) {
      const unasked = !asks.dataset.for.split(" ").includes(outcome);
      asks.querySelectorAll("[name]").forEach((field) => (field.disabled = unasked));
    }
  }
}

// A Vietnamese input method may hand over "đ", or nothing yet: then the key's place says which it was.
function letterOf(event) {
  if (/^[a-z0-9?]$/i.test(event.key)) return event.key.toLowerCase();
  const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code);
  return place ? place[1].toLowerCase() : event.key;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target;
  const letter = letterOf(event);
  if (help.open) {
    if (letter === "?") help.close();
    return;
  }
  if (event.key === "Escape") {
    document.activeElement.blur();
  } else if (event.key === "Enter") {
    if (target.closest("a, button, summary, textarea") || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit(button);
  } else if (isTyping(target) || event.repeat) {
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
  }
}

document.documentElement.classList.add("js");
document.addEventListener("keydown", onKey);
document.getElementById("help").addEventListener("click", () => help.showModal());
form.querySelectorAll(".no-script").forEach((el) => (el.hidden = true));
for (const [number, row] of persons) {
  row.addEventListener("focusin", () => goTo(number, false));
  row.addEventListener("click", () => goTo(number, false));
  if (outcomeOf(row)) changed(row);
}
form.addEventListener("change", (event) => {
  if (event.target.matches(".outcome")) changed(event.target.closest(".person"));
  if (event.target.matches("[name$=-field]")) showOld(event.target.closest(".correction"));
});
form.addEventListener("click", (event) => {
  const outcome = event.target.closest("[data-outcome]")?.dataset.outcome;
  if (outcome) choose(outcome);
});
form.addEventListener("submit", (event) => {
  if (isSent) return event.preventDefault();
  isSent = true;
  dropUnasked();
  button.setAttribute("aria-disabled", "true");
});
// Back from the next household: the page is as it was left, and may be sent again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  isSent = false;
  tellButton();
  form.querySelectorAll(":disabled").forEach((field) => (field.disabled = false));
});
goTo(Number(form.dataset.current), false);
const refused = form.querySelector("[aria-invalid]") ?? form.querySelector(".is-bad [name$=-c0-new]:not([value=''])");
refused?.focus();
refused?.select?.();
