// One unit a page: the arrow keys, Space and Page Up/Down of a presenter go from one to the next.

const slides = [...document.querySelectorAll(".slide")];
const FORTH = new Set(["ArrowRight", "ArrowDown", "PageDown", " "]);
const BACK = new Set(["ArrowLeft", "ArrowUp", "PageUp"]);

const current = () => {
  const tops = slides.map((slide) => Math.abs(slide.getBoundingClientRect().top));
  return tops.indexOf(Math.min(...tops));
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, summary")) return;
  const step = FORTH.has(event.key) ? 1 : BACK.has(event.key) ? -1 : 0;
  const next = slides[current() + step];
  if (!step || !next) return;
  event.preventDefault();
  next.scrollIntoView();
});
