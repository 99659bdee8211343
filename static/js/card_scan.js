// The page of a scanned card: a digit ticks the item of that line or chooses that person, Enter goes on; and the camera.

const $ = (id) => document.getElementById(id);
const take = $("take");
const choose = $("choose");
const sheet = $("sheet");
const reading = $("reading");
const state = $("reading-state");
const viewer = $("viewer");
const LARGEST = 1600; // px: a photo is made no larger than this to be read

document.documentElement.classList.add("js");

// --- the keys ---------------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  const digit = /^[1-9]$/.test(event.key) ? event.key : /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  if (digit && take) {
    const box = take.querySelector(`tbody tr:nth-child(${digit}) input[name=take]`);
    if (box) box.checked = !box.checked;
    tell();
  } else if (digit && choose) {
    choose.querySelectorAll("button[name=form]")[digit - 1]?.click();
  } else if (event.key === "Enter" && !event.target.closest("a, button, summary, label")) {
    event.preventDefault();
    ($("main") ?? choose?.querySelector("button[name=form]"))?.click();
  }
});

// Nothing ticked: then there is nothing to take.
function tell() {
  $("main").setAttribute("aria-disabled", !take.querySelector("input[name=take]:checked"));
}

take?.addEventListener("change", tell);
take?.addEventListener("submit", (event) => {
  event.preventDefault();
  const taken = new Set([...take.querySelectorAll("input[name=take]:checked")].map((box) => box.value));
  const typed = Number(sheet.dataset.typed); // lines that stand there already
  let line = typed;
  for (const item of sheet.querySelectorAll("fieldset")) {
    item.disabled = !taken.has(item.dataset.item);
    if (item.disabled) continue;
    for (const field of item.elements) field.name = field.name.replace(/-c\d+-/, `-c${line}-`);
    line += 1;
  }
  if (line > typed) sheet.requestSubmit();
});
if (take) tell();
else $("main")?.focus();

// --- camera and photos ------------------------------------------------------------------------------------------

let reader = null;

function script(address) {
  return new Promise((done, failed) => {
    const element = document.createElement("script");
    Object.assign(element, { src: address, onload: done, onerror: failed });
    document.head.append(element);
  });
}

// The browser's own reader where it has one, else ours, loaded now.
async function makeReader() {
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats?.()) ?? [];
  if (formats.includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (image) => (await detector.detect(image))[0]?.rawValue;
  }
  await script(reading.dataset.reader);
  await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => reading.dataset.wasm }, fireImmediately: true });
  return async (image) => (await ZXingWASM.readBarcodes(image, { formats: ["QRCode"], tryHarder: true }))[0]?.text;
}

function pixelsOf(source, width, height) {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function send(text) {
  $("text").value = text;
  $("scan").requestSubmit();
}

async function ready() {
  try {
    reader ??= await makeReader();
  } catch {
    state.textContent = reading.dataset.noReader;
  }
  return reader;
}

$("photo").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  if (!file || !(await ready())) return;
  let text = "";
  try {
    const image = await createImageBitmap(file);
    text = await reader(pixelsOf(image, image.width, image.height));
  } catch {
    // not a picture, or one this browser cannot open: it holds no code either
  }
  event.target.value = "";
  if (text) send(text);
  else state.textContent = reading.dataset.noCode;
});

async function watch() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  viewer.srcObject = stream;
  viewer.hidden = false;
  await viewer.play();
  state.textContent = reading.dataset.look;
  let text = "";
  while (!text) {
    await new Promise((done) => setTimeout(done, 120));
    text = await reader(pixelsOf(viewer, viewer.videoWidth, viewer.videoHeight));
  }
  stream.getTracks().forEach((track) => track.stop());
  viewer.hidden = true;
  send(text);
}

// Browsers open the camera on https and on this very machine only.
$("camera").hidden = !navigator.mediaDevices?.getUserMedia;
$("camera").addEventListener("click", async () => {
  $("camera").disabled = true;
  try {
    if (await ready()) await watch();
  } catch {
    viewer.hidden = true;
    state.textContent = reading.dataset.noCamera;
  }
  $("camera").disabled = false;
});
