/**
 * New mail. The tab with the event stream looks, when it hears of a change, how many are unread and who wrote, tells the
 * other tabs, and notifies the person where that is wanted and no tab is before their eyes. Each tab tells a screen reader.
 */

// Milliseconds between two looks; for the other tabs to say that they have the focus; between two announcements.
const GAP = 2000;
const COURTESY = 300;
const QUIET = 20_000;

let since = "";
let last = -GAP;
let timer = 0;
let seen = false;
let told = -QUIET;
let untold = 0;

document.addEventListener("live", ({ detail }) => {
  if (detail.kind === "seen") seen = true;
});

/** Tell a screen reader of new mail: politely, and in one sentence what comes within a while. */
export function announce({ count, messages: [first] }) {
  untold += count;
  if (untold > count) return;
  setTimeout(
    () => {
      const words = untold === 1 ? `New message from ${first.sender}: ${first.subject}` : `${untold} new messages`;
      document.querySelector("#news").textContent = words;
      told = performance.now();
      untold = 0;
    },
    Math.max(COURTESY, told + QUIET - performance.now()),
  );
}

/** Look, at once if the last time was long enough ago; `spread` tells what there is to all tabs. */
export function look(spread) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(spread), Math.max(0, last + GAP - performance.now()));
}

async function ask(spread) {
  last = performance.now();
  let news;
  try {
    news = await (await fetch(`/news/?${new URLSearchParams({ since })}`, { redirect: "manual" })).json();
  } catch {
    // Offline, or signed out; the next change asks again, and then for this as well.
    return;
  }
  since = news.since;
  seen = document.hasFocus();
  spread({ kind: "news", ...news });
  if (news.count) setTimeout(() => seen || notify(news), COURTESY);
}

function notify({ count, messages }) {
  const panes = document.querySelector("mail-panes");
  if (!("notifies" in panes.dataset) || window.Notification?.permission !== "granted") return;
  const [first] = messages;
  const one = count === 1;
  const title = one ? first.sender : `${count} new messages`;
  const body = one ? first.subject : [...new Set(messages.map((message) => message.sender))].join(", ");
  try {
    // The same tag: a newer one takes the older one's place.
    const shown = new Notification(title, { body, tag: "mail", icon: document.querySelector("link[rel=icon]").href });
    shown.onclick = () => {
      window.focus();
      shown.close();
      if (one) panes.openMessage(new URL(`/message/${first.pk}/`, location.href).href);
    };
  } catch {
    // Some browsers of phones have notifications and refuse them to pages.
  }
}
