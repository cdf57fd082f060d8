// The pages work without this. It only brings the reader to what went wrong, and says what is new:
// it never moves what somebody is reading, and never takes the focus while they work.
"use strict";

document.getElementById("summary")?.focus();

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
