// What one points at on the map, or reaches with the keyboard, is told above it and marked in the table, and the other
// way round. Nothing else moves: the table scrolls inside its own frame only.

const sheet = document.querySelector(".map-sheet");
const map = sheet?.querySelector(".map");
const told = document.querySelector("[data-told]");
const rings = map?.querySelectorAll(".ring");
const frame = document.querySelector(".map-lines");
let lit = null;

// listeners sit on the HTML around it: an SVG that listens for the focus would take it itself
function light(unit, from) {
  lit?.classList.remove("is-lit");
  lit = frame.querySelector(`tr[data-unit="${unit}"]`);
  lit?.classList.add("is-lit");
  const shape = map.querySelector(`a[data-unit="${unit}"]`);
  // on top of its neighbours, whose lines would cover its own
  for (const ring of rings) ring.setAttribute("d", shape?.querySelector("path").getAttribute("d") ?? "");
  const [name, ...figures] = (shape?.getAttribute("aria-label") ?? "").split(": ");
  const strong = document.createElement("strong");
  strong.textContent = name;
  told.replaceChildren(strong, figures.length ? `: ${figures.join(": ")}` : "");
  told.classList.add("is-on");
  if (from === sheet && lit && frame.scrollHeight > frame.clientHeight) {
    const head = frame.querySelector("thead").offsetHeight, foot = frame.querySelector("tfoot")?.offsetHeight ?? 0;
    const top = lit.offsetTop - head, bottom = lit.offsetTop + lit.offsetHeight + foot - frame.clientHeight;
    if (frame.scrollTop > top) frame.scrollTop = top;
    else if (frame.scrollTop < bottom) frame.scrollTop = bottom;
  }
}

if (map && frame) {
  // the browser's own bubble would say the same a second later
  for (const title of map.querySelectorAll("title")) title.remove();
  for (const place of [sheet, frame]) {
    for (const kind of ["pointerover", "focusin"]) {
      place.addEventListener(kind, (event) => {
        const unit = event.target.closest("[data-unit]")?.dataset.unit;
        if (unit) light(unit, place);
      });
    }
  }
}
