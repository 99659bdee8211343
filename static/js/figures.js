// The figures of a page come again by themselves. Not while somebody reads them with the keyboard, has opened
// something in them or marks a number to copy it: nothing moves under the cursor.

document.addEventListener("htmx:beforeRequest", (event) => {
  const live = event.target;
  if (live.id !== "live") return;
  const busy = live.contains(document.activeElement) || live.querySelector("details[open]");
  if (busy || document.hidden || !getSelection().isCollapsed) event.preventDefault();
});
