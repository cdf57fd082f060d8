// The pages work without this. It only brings the reader to what went wrong, and says what is new:
// it never moves what somebody is reading, and never takes the focus while they work.
"use strict";

document.getElementById("summary")?.focus();

// What is typed on a request's page is kept a second after the last key, and with every button.
const work = document.getElementById("work"), warning = document.getElementById("lost"), KEEP_MS = 1000;
const held = document.querySelector("[data-longer]");
const LOST = "It is not yours any longer. Load the page again before you ring.";
const UNKEPT = "What you type is not kept just now. You may be signed out: copy it before you leave this page.";
const typed = (quiet) => {
  const body = new URLSearchParams(new FormData(work));
  if (quiet) body.set("quiet", "1");
  return body;
};
if (work) {
  let waiting = 0, changes = 0, kept = 0, keeping = false;
  const keep = async () => {
    if (keeping) return;
    keeping = true;
    const now = changes, body = typed(true);
    const answer = await fetch(work.action, { method: "POST", body }).catch(() => null);
    const told = answer?.ok && !answer.redirected ? await answer.json() : null;
    keeping = false;
    if (!told) return void (warning.textContent = UNKEPT);
    for (const [name, both] of Object.entries(told.texts)) {
      const box = work.elements[name], sent = body.get(name); // another window had typed too
      box.value = box.value.startsWith(sent) ? both + box.value.slice(sent.length) : `${both}\n\n${box.value}`;
    }
    work.elements.draft_version.value = told.version;
    kept = now;
    warning.textContent = held && !told.held ? LOST : "";
    if (kept < changes) await keep();
  };
  document.addEventListener("input", (event) => {
    if (event.target.form !== work) return;
    changes++;
    clearTimeout(waiting);
    waiting = setTimeout(keep, KEEP_MS);
  });
  work.addEventListener("submit", () => { clearTimeout(waiting); kept = changes; });
  addEventListener("beforeunload", () => {
    if (kept < changes) navigator.sendBeacon(work.action, typed(true));
  });
}

// Whoever has the page of their request open may be talking: it stays theirs, for an hour at most.
const RENEW_MS = 5 * 60 * 1000, RENEWALS = 12;
if (held) {
  let left = RENEWALS;
  const renewing = setInterval(async () => {
    const body = new URLSearchParams({ form_token: work.elements.form_token.value });
    const answer = await fetch(held.dataset.longer, { method: "POST", body }).catch(() => null);
    if (answer && !answer.ok) {
      clearInterval(renewing);
      held.textContent = "";
      warning.textContent = LOST;
    } else if (--left <= 0) {
      clearInterval(renewing);
      held.textContent = "This page has been open for an hour. Press “Keep it for longer” if you go on.";
    } else if (answer) held.textContent = "Yours while this page is open, for an hour at most.";
  }, RENEW_MS);
}

const news = document.getElementById("news");
if (news && window.EventSource) {
  const { events, after, here } = news.dataset;
  const joint = events.includes("?") ? "&" : "?";
  new EventSource(`${events}${joint}after=${after}`).addEventListener("news", (event) => {
    const words = news.dataset.words ?? `${event.data} new or changed. `;
    if (news.firstChild?.data === words) return;
    const show = Object.assign(document.createElement("a"), { href: here, textContent: "Show" });
    if (work) show.addEventListener("click", (event) => { event.preventDefault(); work.requestSubmit(); });
    news.replaceChildren(words, show);
  });
}
