// When many log in at the same time the server asks to come again in a moment (503): this page does so by itself,
// so that nobody types a password twice. Without scripts the officer presses the button again.

const parse = (text) => new DOMParser().parseFromString(text, "text/html");
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function send(form) {
  const body = new URLSearchParams(new FormData(form));
  const waiting = document.getElementById("waiting");
  form.querySelector("button").setAttribute("aria-disabled", true);
  for (let tries = 1; ; tries++) {
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body, redirect: "manual", headers: { "X-Waits": "1" } });
    } catch {
      return form.submit(); // the line is gone: the browser says so in its own words
    }
    if (answer.type === "opaqueredirect") return location.reload(); // in: the log-in page leads on
    if (answer.status !== 503 || !answer.headers.has("Retry-After")) return show(await answer.text());
    waiting.hidden = false;
    await pause(Number(answer.headers.get("Retry-After")) * Math.min(tries, 3) * (0.5 + Math.random()));
  }
}

function show(page) {
  document.querySelector("main").replaceWith(parse(page).querySelector("main"));
  listen();
  document.querySelector("[name=username]")?.focus();
}

function listen() {
  const form = document.getElementById("log-in");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.querySelector("button").getAttribute("aria-disabled") !== "true") send(form);
  });
}

listen();
