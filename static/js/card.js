// A USB scanner is a keyboard that types a card's text in a blink, wherever the cursor is. Here it is told from an officer
// by how a card's text begins (9 to 12 digits, then "|") and by its speed, kept from the page's own keys and fields, and
// sent to the scan page. From the "|" on it is typed into a hidden field of our own, so that whatever an input method or
// the scanner's alphabet makes of the letters arrives as it would anywhere else; the server says when they are garbled.

const form = document.getElementById("card");
const text = form?.querySelector("textarea");
const QUICK = 35; // ms between two keys, on average: nobody types like that
const SLACK = 70;
const APART = 400; // ms: a PC that is busy with something else is slower, but digits further apart are not one number
const PAUSE = 800; // a scanner set to no end key is done
let digits = "";
let began = 0;
let last = 0;
let place = null; // the field the first digit was typed into, as it was before
let isReading = false;
let ended = 0;

// Under an input method the key is "Process"; its place on the keyboard is known all the same.
function digitOf(event) {
  if (/^[0-9]$/.test(event.key)) return event.key;
  const found = /^(?:Process|Unidentified)$/.test(event.key) && /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return found && !event.shiftKey ? found[1] : "";
}

const isBar = (event) => event.key === "|" || (event.code === "Backslash" && event.shiftKey && event.key.length > 1);

function snapshot(element) {
  if (!element?.matches("input, textarea, select") || element === text) return null;
  return { element, value: element.value };
}

function putBack() {
  if (!place || place.element.value === place.value) return;
  place.element.value = place.value;
  place.element.dispatchEvent(new Event("input", { bubbles: true }));
}

const isChanged = (field) =>
  field.type === "radio" || field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : field.matches("select")
      ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
      : field.matches("input:not([type=hidden]), textarea") && field.value !== field.defaultValue;

// What was typed on the entry page and is not recorded yet goes along, so that the scan page can give it back.
function takeAlong() {
  form.querySelectorAll("input.along").forEach((field) => field.remove());
  const entry = document.getElementById("entry");
  const household = /\/households\/([0-9]+)\/verify\//.exec(location.pathname)?.[1];
  if (!entry || !household) return;
  const isResult = (field) => /^p[0-9]+-outcome$/.test(field.name) && !["", "matched"].includes(field.value);
  if (![...entry.elements].some((field) => field.name && (isChanged(field) || isResult(field)))) return;
  for (const [name, value] of [["household", household], ...new FormData(entry)]) {
    if (typeof value !== "string" || !/^(?:household|methods|verified_on|p[0-9]+-[a-z0-9_-]+)$/.test(name)) continue;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", className: "along", name, value }));
  }
}

function start() {
  putBack();
  (document.querySelector("dialog[open]") ?? document.body).append(form);
  form.hidden = false;
  text.value = "";
  text.focus({ preventScroll: true });
  isReading = true;
  wait();
}

function wait() {
  clearTimeout(ended);
  ended = setTimeout(send, PAUSE);
}

function send() {
  clearTimeout(ended);
  if (!isReading) return;
  isReading = false;
  text.value = `${digits}|${text.value}`;
  digits = "";
  takeAlong();
  form.requestSubmit();
  text.value = "";
  text.blur();
  form.hidden = true;
}

function onKey(event) {
  if (isReading) {
    event.stopImmediatePropagation();
    if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      // what an input method still holds is in the field a moment later
      setTimeout(send);
    } else wait();
    return;
  }
  if (/^(?:Shift|CapsLock|NumLock|AltGraph)$/.test(event.key)) return;
  const digit = !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey ? digitOf(event) : "";
  const isOneNumber = digits && event.timeStamp - last <= APART;
  last = event.timeStamp;
  if (digit) {
    if (!isOneNumber || digits.length === 12) {
      digits = "";
      began = event.timeStamp;
      place = snapshot(event.target);
    }
    digits += digit;
    // nobody presses three keys that quickly: the page's keys need not act on it
    const isQuick = event.timeStamp - began <= QUICK * digits.length + SLACK;
    if (digits.length > 2 && isQuick && !place) event.stopImmediatePropagation();
  } else if (digits.length >= 9 && isOneNumber && isBar(event)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    start();
  } else digits = "";
}

if (form) window.addEventListener("keydown", onKey, { capture: true });
