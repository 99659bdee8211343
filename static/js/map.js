// What one points at on the map, or reaches with the keyboard, is told above it and marked in the table, and the other
// way round. Nothing else moves: the table scrolls inside its own frame only.

const map = document.querySelector(".map-sheet .map");
const told = document.querySelector("[data-told]");
const ring = map?.querySelector(".ring");
const frame = document.querySelector(".map-lines");
let lit = null;

function light(unit, from) {
  lit?.classList.remove("is-lit");
  lit = frame.querySelector(`tr[data-unit="${unit}"]`);
  lit?.classList.add("is-lit");
  const shape = map.querySelector(`a[data-unit="${unit}"]`);
  ring.classList.toggle("is-on", Boolean(shape));
  if (shape) ring.setAttribute("href", `#u${unit}`);
  const [name, ...figures] = (shape?.getAttribute("aria-label") ?? "").split(": ");
  const strong = document.createElement("strong");
  strong.textContent = name;
  told.replaceChildren(strong, figures.length ? `: ${figures.join(": ")}` : "");
  told.classList.add("is-on");
  if (from === map && lit && frame.scrollHeight > frame.clientHeight) {
    const head = frame.querySelector("thead").offsetHeight, foot = frame.querySelector("tfoot")?.offsetHeight ?? 0;
    const top = lit.offsetTop - head, bottom = lit.offsetTop + lit.offsetHeight + foot - frame.clientHeight;
    if (frame.scrollTop > top) frame.scrollTop = top;
    else if (frame.scrollTop < bottom) frame.scrollTop = bottom;
  }
}

if (map && frame) {
  // the browser's own bubble would say the same a second later
  for (const title of map.querySelectorAll("title")) title.remove();
  for (const place of [map, frame]) {
    for (const kind of ["pointerover", "focusin"]) {
      place.addEventListener(kind, (event) => {
        const unit = event.target.closest("[data-unit]")?.dataset.unit;
        if (unit) light(unit, place);
      });
    }
  }
}
