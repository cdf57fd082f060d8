// The pages work without this. It only brings the reader to what went wrong, and says what is new:
// it never moves what somebody is reading, and never takes the focus while they work.
"use strict";

document.getElementById("summary")?.focus();

// Whoever has the page of their request open may be talking: it stays theirs, for an hour at most.
const RENEW_MS = 5 * 60 * 1000, RENEWALS = 12;
const held = document.querySelector("[data-longer]");
if (held) {
  let left = RENEWALS;
  const renewing = setInterval(async () => {
    const body = new URLSearchParams({ form_token: held.dataset.token });
    const answer = await fetch(held.dataset.longer, { method: "POST", body }).catch(() => null);
    if (answer && !answer.ok) {
      clearInterval(renewing);
      held.textContent = "";
      document.getElementById("lost").textContent =
        "It is not yours any longer. Load the page again before you ring.";
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
    news.replaceChildren(words, show);
  });
}
