// The keys of the district's queue: with them the mouse is never needed, without them it is a form.

const form = document.getElementById("decisions");
const help = document.getElementById("keys");
const everybody = document.getElementById("all");
const howMany = document.getElementById("how-many");
const items = [...form.querySelectorAll(".decision")];
const boxes = items.map((item) => item.querySelector("[name=pass]"));
let current = 0;
let isSent = false;

const isChosen = () => boxes.some((box) => box.checked);
const press = (button) => form.requestSubmit(button);

function mark(index, scroll = true) {
  items[current]?.classList.remove("is-current");
  current = Math.max(0, Math.min(index, items.length - 1));
  items[current].classList.add("is-current");
  if (scroll) items[current].scrollIntoView({ block: "nearest" });
}

function tell() {
  const count = boxes.filter((box) => box.checked).length;
  howMany.textContent = count ? howMany.dataset.some.replace("#", count) : howMany.dataset.none;
  everybody.checked = count === boxes.length;
  everybody.indeterminate = count > 0 && count < boxes.length;
}

function askReason() {
  if (isChosen()) {
    document.getElementById("reason").focus();
    return;
  }
  const details = items[current].querySelector(".return");
  details.open = true;
  details.querySelector("input").focus();
}

// An input method may hand over "â", or nothing yet: then the key's place says which it was.
function letterOf(event) {
  if (event.key === "?" || event.key.startsWith("Arrow") || /^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key([A-Z])$/.exec(event.code)?.[1].toLowerCase() ?? event.key;
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
  if (event.key === "Escape") return document.activeElement.blur();
  if (target.matches("input[type=text], select")) {
    // Enter in a reason returns, whichever button of the form is the first
    if (event.key !== "Enter" || event.isComposing || !target.matches("input")) return;
    event.preventDefault();
    const own = target.closest(".return")?.querySelector("[name=return]");
    if (!event.repeat) press(own ?? document.getElementById("return-chosen"));
    return;
  }
  const act = {
    j: () => mark(current + 1),
    arrowdown: () => mark(current + 1),
    k: () => mark(current - 1),
    arrowup: () => mark(current - 1),
    x: () => boxes[current].click(),
    h: () => items[current].querySelectorAll(".what details").forEach((el) => (el.open = !el.open)),
    a: () => press(isChosen() ? document.getElementById("approve-chosen") : items[current].querySelector("[name=approve]")),
    r: askReason,
    "?": () => help.showModal(),
  }[letter];
  const decides = letter === "a" || letter === "r";
  if (!act || (decides && event.repeat)) return;
  event.preventDefault();
  act();
}

document.documentElement.classList.add("js");
document.addEventListener("keydown", onKey);
document.getElementById("help").addEventListener("click", () => help.showModal());
form.querySelectorAll(".no-script").forEach((el) => (el.hidden = true));
everybody.addEventListener("change", () => {
  for (const box of boxes) box.checked = everybody.checked;
  tell();
});
form.addEventListener("change", tell);
items.forEach((item, index) => {
  for (const type of ["focusin", "click"]) item.addEventListener(type, () => mark(index, false));
});
// Twice is once. What is behind what is decided now is where the keys go on.
form.addEventListener("submit", (event) => {
  if (isSent) return event.preventDefault();
  isSent = true;
  setTimeout(() => (isSent = false), 5000);
  const one = event.submitter?.closest(".decision");
  const goes = (index) => (one ? items[index] === one : boxes[index].checked);
  const start = one ? items.indexOf(one) : boxes.findIndex((box) => box.checked);
  const stays = items.findIndex((_, index) => index > start && !goes(index));
  form.elements.next.value = stays < 0 ? "" : boxes[stays].value;
});
const refused = items.findIndex((item) => item.matches(".is-bad") || item.querySelector("[aria-invalid]"));
const going = items.findIndex((item) => `#${item.id}` === location.hash);
mark(refused >= 0 ? refused : Math.max(going, 0), refused >= 0 || going > 0);
form.querySelector("[aria-invalid]")?.focus();
tell();
