// The photo or scan beside a correction: sent when chosen, its key kept in the hidden field of the line.
// All by delegation, so that a line which a script adds later works like the first.

const SIDE = 2000; // as the server keeps it
const WORTH_SHRINKING = 700_000;
const LIMIT = 10 * 1024 * 1024;
const TRIES = 3;

const fieldOf = (el) => el.closest("[data-proof]");
const keyOf = (field) => field.querySelector("input[type=hidden]");
const number = (value) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
const sizeOf = (bytes) => (bytes < 1e6 ? `${number(Math.max(1, Math.round(bytes / 1e3)))} kB` : `${number(bytes / 1e6)} MB`);
const sending = new WeakMap();
let held = null; // a form that was to be saved while a photo was still on its way

function show(field, { text = "", isError = false, link = "", key = "", isBusy = false }) {
  const state = field.querySelector(".proof-state");
  state.textContent = "";
  state.classList.toggle("error", isError);
  if (link) {
    const anchor = document.createElement("a");
    Object.assign(anchor, { href: link, target: "_blank", rel: "noopener", textContent: text });
    state.append(anchor);
  } else {
    state.textContent = text;
  }
  keyOf(field).value = key;
  field.toggleAttribute("data-busy", isBusy);
  field.querySelector(".proof-choose").hidden = isBusy || Boolean(key);
  field.querySelector(".proof-remove").hidden = !(isBusy || key);
  const form = field.closest("form");
  if (form === held && !form.querySelector("[data-proof][data-busy]")) {
    held = null;
    if (!isError) form.requestSubmit();
  }
}

// A phone's photo of 5 MB becomes one of 500 kB before it goes over a slow line. What this browser cannot read goes as it is.
async function shrunk(file) {
  if (!file.type.startsWith("image/") || file.size < WORTH_SHRINKING) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? blob : file;
  } catch {
    return file;
  }
}

// fetch does not tell how far an upload is.
function post(field, body, name, tries = TRIES) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  form.append("form", field.dataset.form);
  form.append("file", body, name);
  request.open("POST", field.dataset.to);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "text";
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable || sending.get(field) !== request) return;
    show(field, { text: field.dataset.sending.replace("#", Math.round((100 * event.loaded) / event.total)), isBusy: true });
  });
  request.upload.addEventListener("load", () => {
    if (sending.get(field) === request) show(field, { text: field.dataset.working, isBusy: true });
  });
  request.addEventListener("load", () => {
    if (sending.get(field) !== request) return;
    if (request.status === 503 && tries > 1) {
      setTimeout(() => sending.get(field) === request && post(field, body, name, tries - 1), 2000);
      return;
    }
    sending.delete(field);
    let said = null;
    try {
      said = JSON.parse(request.responseText);
    } catch {
      // a page: the log-in, or a proxy's own
    }
    if (said?.id) show(field, { text: `${field.dataset.done}: ${said.name || name}, ${sizeOf(said.bytes)}`, link: `/proofs/${said.id}/`, key: said.id });
    else if (said?.sentence) show(field, { text: said.sentence, isError: true });
    else if (request.status === 413) show(field, { text: field.dataset.large, isError: true });
    else show(field, { text: request.status === 200 || request.status === 403 ? field.dataset.gone : field.dataset.failed, isError: true });
  });
  request.addEventListener("error", () => {
    if (sending.get(field) !== request) return;
    sending.delete(field);
    show(field, { text: field.dataset.failed, isError: true });
  });
  sending.set(field, request);
  request.send(form);
}

async function send(field, file) {
  const turn = {};
  sending.set(field, turn);
  show(field, { text: field.dataset.working, isBusy: true });
  const body = await shrunk(file);
  if (sending.get(field) !== turn) return; // removed meanwhile
  if (body.size > LIMIT) {
    sending.delete(field);
    show(field, { text: field.dataset.large, isError: true });
    return;
  }
  post(field, body, file.name);
}

function empty(field) {
  sending.get(field)?.abort?.();
  sending.delete(field);
  show(field, {});
  for (const input of field.querySelectorAll("input[type=file]")) input.value = "";
}

document.documentElement.classList.add("js");
document.addEventListener(
  "submit",
  (event) => {
    if (!event.target.querySelector("[data-proof][data-busy]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = event.target;
  },
  true,
);
document.addEventListener("change", (event) => {
  const field = event.target.matches?.("[data-proof] input[type=file]") && fieldOf(event.target);
  if (!field) return;
  const [file] = event.target.files;
  if (file) send(field, file);
  event.target.value = ""; // the same file may be chosen again
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.(".proof-remove")) return;
  const field = fieldOf(event.target);
  empty(field);
  field.querySelector(".proof-choose label:last-child input").focus();
});
// A copied line comes with an empty key, and with the words of the line it was copied from.
new MutationObserver((changes) => {
  for (const added of changes.flatMap((change) => [...change.addedNodes])) {
    for (const field of added.querySelectorAll?.("[data-proof]") ?? []) if (!keyOf(field).value) empty(field);
  }
}).observe(document.body, { childList: true, subtree: true });
