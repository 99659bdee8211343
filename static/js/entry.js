// The entry page: its keys, with which the mouse is never needed; what an outcome asks for; and the sending, which
// survives a lost line. Without scripts the page is a plain form.

import { keep, kept, forget } from "./waiting.js";

const DATE = /^(\d{8}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4})$/;
const COMPLETE = { birth_date: DATE, pin: /^\d{12}$/ };
const NAMES = new Set(["full_name", "father_name", "mother_name", "spouse_name", "representative_name", "head_name"]);
const LINES = 6; // as many corrections as the server takes at once (verification/forms.py)
const RETRY_SECONDS = 3;

let form, button, help, persons, outcomeKeys, itemKeys, values;
let current = 0;
let isSent = false;

const outcomeOf = (row) => row.querySelector(".outcome");
const corrects = (outcome) => outcome === "corrected" || outcome === "supplemented";
const part = (line, name) => line.querySelector(`[name$=-${name}]`);

function start() {
  form = document.getElementById("entry");
  button = document.getElementById("submit");
  help = document.getElementById("keys");
  persons = new Map([...form.querySelectorAll(".person")].map((row) => [Number(row.id.slice(1)), row]));
  outcomeKeys = new Map([...form.querySelectorAll("[data-key]")].map((b) => [b.dataset.key, b.dataset.outcome]));
  values = JSON.parse(document.getElementById("values").textContent);
  const items = document.getElementById("asks").content.querySelectorAll(".item option[data-key]");
  itemKeys = new Map([...items].filter((o) => o.dataset.key).map((o) => [o.dataset.key, o.value]));
  isSent = false;
  document.getElementById("help").addEventListener("click", () => help.showModal());
  document.querySelectorAll(".no-script").forEach((el) => (el.hidden = true));
  for (const [number, row] of persons) {
    for (const type of ["focusin", "click"]) row.addEventListener(type, () => goTo(number));
    if (outcomeOf(row)) changed(row);
  }
  form.addEventListener("change", onChange);
  form.addEventListener("input", onInput);
  form.addEventListener("click", onClick);
  form.addEventListener("submit", onSubmit);
  document.getElementById("order")?.addEventListener("change", (event) => event.currentTarget.submit());
  goTo(Number(form.dataset.current));
  if (location.search.includes("person=")) persons.get(current)?.scrollIntoView({ block: "nearest" });
  const refused = form.querySelector("[aria-invalid]") ?? form.querySelector(".is-bad .new:not([value=''])");
  refused?.focus();
  refused?.select?.();
}

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

// --- what an outcome asks for ---------------------------------------------------------------

// The fields come out of the page's template when somebody needs them.
function asksOf(row) {
  let asks = row.querySelector(".detail");
  if (!asks) {
    const pk = row.dataset.form;
    asks = document.getElementById("asks").content.firstElementChild.cloneNode(true);
    for (const field of asks.querySelectorAll("[name^=p0-]")) field.name = field.name.replace("p0-", `p${pk}-`);
    asks.querySelector(".find-twin").href = `/forms/${pk}/twins/`;
    asks.querySelectorAll(".no-script").forEach((el) => (el.hidden = true));
    row.append(asks);
  }
  return asks;
}

function changed(row) {
  const outcome = outcomeOf(row).value;
  if (outcome && outcome !== "matched") asksOf(row);
  if (corrects(outcome)) openCorrections(row);
  tellButton();
}

// Further lines are copies of the first; the next one shows when the one before has its value.
function openCorrections(row) {
  const first = row.querySelector("fieldset");
  for (let line = row.querySelectorAll("fieldset").length; line < LINES; line++) {
    const copy = first.cloneNode(true);
    for (const field of copy.querySelectorAll("[name]")) {
      field.name = field.name.replace("-c0-", `-c${line}-`);
      field.value = "";
    }
    first.parentNode.insertBefore(copy, row.querySelector(".asks .no-script"));
  }
  const said = values[row.dataset.form] ?? {};
  for (const line of row.querySelectorAll("fieldset")) {
    for (const option of line.querySelectorAll(".item option[data-label]")) {
      option.text = option.dataset.label + (said[option.value] ? `: ${said[option.value]}` : "");
    }
    showOld(row, line);
  }
}

function showOld(row, line) {
  const item = line.querySelector(".item").value;
  line.querySelector("del").textContent = values[row.dataset.form]?.[item] || "–";
  line.querySelector(".new").setAttribute("list", `new-${item}`);
}

// An outcome of the person the keys act on; the first field it asks for gets the focus.
function choose(outcome) {
  const row = persons.get(current);
  if (!row) return;
  outcomeOf(row).value = outcome === "edit" ? "corrected" : outcome;
  changed(row);
  if (outcome === "not_met") proposeVisit(row);
  if (corrects(outcome) && row.dataset.item) return correct(row.dataset.item);
  const field = [...row.querySelectorAll(".asks select, .asks input")].find((el) => el.offsetParent);
  if (field) {
    field.focus();
    field.select?.();
  } else document.activeElement.blur();
}

// Absent: what is nearly always so is there already, seen, and typed over where it is not.
function proposeVisit(row) {
  const reason = part(row, "reason");
  const day = part(row, "next_visit_on");
  if (!reason.value) reason.value = form.dataset.away;
  if (!day.value) day.value = form.dataset.nextVisit;
}

// A letter of the heads: the item's correction, ready for the right value.
function correct(item) {
  const row = persons.get(current);
  if (!row) return;
  const was = values[row.dataset.form]?.[item] ?? "";
  if (!corrects(outcomeOf(row).value)) outcomeOf(row).value = was ? "corrected" : "supplemented";
  else if (was) outcomeOf(row).value = "corrected";
  changed(row);
  const lines = [...row.querySelectorAll("fieldset")];
  const line =
    lines.find((one) => one.querySelector(".item").value === item) ??
    lines.find((one) => !one.querySelector(".item").value && !one.querySelector(".new").value) ??
    lines[0];
  line.querySelector(".item").value = item;
  showOld(row, line);
  const value = line.querySelector(".new");
  if (item === "sex" && !value.value) {
    value.value = was === "Nữ" || was === "Female" ? "Nam" : "Nữ"; // there are two
    line.querySelector(".paper").focus();
  } else {
    value.focus();
    value.select();
  }
}

function onChange(event) {
  const row = event.target.closest(".person");
  if (event.target.matches(".outcome")) changed(row);
  if (event.target.matches(".item")) showOld(row, event.target.closest("fieldset"));
}

// A date or number that is whole leads on to the paper.
function onInput(event) {
  if (!event.target.matches(".new") || event.isComposing) return;
  const line = event.target.closest("fieldset");
  if (COMPLETE[line.querySelector(".item").value]?.test(event.target.value.trim())) {
    line.querySelector(".paper").focus();
  }
}

function onClick(event) {
  const outcome = event.target.closest("[data-outcome]")?.dataset.outcome;
  if (outcome) choose(outcome);
  const twin = event.target.closest(".find-twin");
  if (twin) {
    event.preventDefault();
    findTwin(twin.href, part(twin.closest(".asks"), "duplicate_barcode"));
  }
}

// --- the form that a duplicate repeats -------------------------------------------------------

async function findTwin(address, barcode) {
  const dialog = document.getElementById("twins");
  const answer = await fetch(address, { headers: { "X-Entry": "1" } }).catch(() => null);
  if (!answer?.ok) return window.open(address); // the browser says what is wrong
  dialog.replaceChildren(...parse(await answer.text()).body.childNodes);
  dialog.querySelectorAll(".no-script").forEach((el) => (el.hidden = true));
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[data-barcode], input[type=search]")?.focus();
  dialog.querySelector("form[method=get]").addEventListener("submit", (event) => {
    event.preventDefault();
    findTwin(`${event.target.action}?${new URLSearchParams(new FormData(event.target))}`, barcode);
  });
  for (const choice of dialog.querySelectorAll("[data-barcode]")) {
    choice.addEventListener("click", () => {
      barcode.value = choice.dataset.barcode;
      dialog.close();
      barcode.focus();
    });
  }
}

// --- keys ------------------------------------------------------------------------------------

// An input method may hand over "đ", or nothing yet: then the key's place says which it was.
function letterOf(event) {
  if (/^[a-z0-9?]$/i.test(event.key)) return event.key.toLowerCase();
  const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code);
  return place ? place[1].toLowerCase() : event.key;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !form?.isConnected) return;
  const target = event.target;
  if (target.closest(".search, #twins")) return; // their keys are their own
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
  } else if (/^[1-7]$/.test(letter) && isName(target)) {
    event.preventDefault();
    const paper = target.closest("fieldset").querySelector(".paper");
    paper.selectedIndex = Number(letter);
    paper.focus();
  } else if (target.matches("input:not([type=radio]), select") || event.repeat) {
    return;
  } else if (letter === "?") {
    help.showModal();
  } else if (letter === "u") {
    document.getElementById("undo")?.requestSubmit();
  } else if (outcomeKeys.has(letter)) {
    event.preventDefault();
    choose(outcomeKeys.get(letter));
  } else if (itemKeys.has(letter)) {
    event.preventDefault();
    correct(itemKeys.get(letter));
  } else if (/^[1-9]$/.test(letter)) {
    document.activeElement.blur();
    goTo(Number(letter));
    persons.get(current)?.scrollIntoView({ block: "nearest" });
  }
}

// No name has a digit: it can only be the paper.
function isName(target) {
  return target.matches(".new") && target.value.trim() && NAMES.has(target.closest("fieldset").querySelector(".item").value);
}

// --- sending ---------------------------------------------------------------------------------

const parse = (text) => new DOMParser().parseFromString(text, "text/html");
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// What another outcome asked for is not sent along.
function typed() {
  const data = new FormData(form, button);
  for (const asks of form.querySelectorAll("[data-for]")) {
    const isAsked = asks.dataset.for.split(" ").includes(outcomeOf(asks.closest(".person")).value);
    if (!isAsked) asks.querySelectorAll("[name]").forEach((field) => data.delete(field.name));
  }
  return new URLSearchParams(data).toString();
}

function onSubmit(event) {
  if (event.submitter?.name === "more") return;
  event.preventDefault();
  if (isSent || button.getAttribute("aria-disabled") === "true") return; // twice is once
  isSent = true;
  send();
}

async function send() {
  const sheet = { officer: form.dataset.officer, address: form.action, body: typed(), household: form.dataset.household };
  keep(sheet);
  button.setAttribute("aria-disabled", true);
  const slow = setTimeout(() => (button.firstElementChild.textContent = form.dataset.sending), 150);
  for (;;) {
    const answer = await post(sheet);
    if (answer === null) {
      say("waits", form.dataset.lost);
      await pause(RETRY_SECONDS);
      continue;
    }
    clearTimeout(slow);
    if (answer.redirected) {
      isSent = false;
      tellButton();
      return say("refused", form.dataset.loggedOut);
    }
    forget(sheet.officer);
    if (answer.ok) return location.assign((await answer.json()).next);
    return show(await answer.text());
  }
}

// The answer, or null where there was none: the line is lost, or the server rests.
async function post(sheet) {
  const headers = { "X-Entry": "1", "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await fetch(sheet.address, { method: "POST", body: sheet.body, headers }).catch(() => null);
  return answer && answer.status !== 502 && answer.status !== 503 && answer.status !== 504 ? answer : null;
}

function show(page) {
  document.querySelector("main").replaceWith(parse(page).querySelector("main"));
  start();
}

function say(kind, sentence) {
  const last = document.querySelector(".last");
  const line = Object.assign(document.createElement("p"), { className: `notice ${kind}`, textContent: sentence });
  line.setAttribute("role", "status");
  last.replaceChildren(line);
}

// What an earlier page could not send, after a power cut or a closed window: sent now, by whom it was typed.
async function sendWhatWaits() {
  const sheet = kept(form.dataset.officer);
  if (!sheet) return;
  const body = new URLSearchParams(sheet.body);
  body.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
  say("waits", `${sheet.household} ${form.dataset.left} ${form.dataset.sending}`);
  const answer = await post({ ...sheet, body: body.toString() });
  if (answer === null || answer.redirected) return;
  forget(sheet.officer);
  if (answer.ok) return location.assign((await answer.json()).next);
  history.replaceState(null, "", sheet.address);
  show(await answer.text());
}

document.documentElement.classList.add("js");
document.addEventListener("keydown", onKey);
start();
sendWhatWaits();
