/**
 * One event stream for all tabs of a browser. The tab that holds a lock has it and passes on what it hears; when that
 * tab goes, the lock and the stream go to the next. So any number of tabs needs one connection.
 *
 * Every fact becomes a DOM event `live`, whose `detail` is as `webmail/live/entrance.py` says it or, of kind "news", as
 * `news.js` has fetched it. Nothing is replayed: after any gap comes `{kind: "all"}`.
 */

// Milliseconds. The server shows a sign of life every 25 s.
const SILENCE = 70_000;
const CHECK = 30_000;
const SOONEST = 2000;
const LATEST = 60_000;

const tabs = new BroadcastChannel("live");
let source;
let timer = 0;
let pause = SOONEST;
let heard = 0;
let led = Date.now();

/** Whether this tab hears what happens. */
export const isAlive = () => Date.now() - heard < SILENCE;

/** Tell a fact to all tabs. */
function spread(fact) {
  tabs.postMessage(fact);
  hear(fact);
}

function hear(detail) {
  heard = detail.kind === "end" ? 0 : Date.now();
  document.dispatchEvent(new CustomEvent("live", { detail }));
}

tabs.onmessage = ({ data }) => {
  led = Date.now();
  if (data.kind === "lead") return;
  hear(data);
  // Whoever would notify the person needn't: the news is before their eyes.
  if (data.kind === "news" && document.hasFocus()) tabs.postMessage({ kind: "seen" });
};

/** Wait for the lock, then hold the stream until this tab goes or another one takes the lock away. */
function lead(options = {}) {
  navigator.locks
    ?.request("live", options, () => new Promise(open))
    .catch(() => {
      close();
      lead();
    });
}

function open() {
  close();
  source = new EventSource("/live/");
  source.onopen = () => {
    pause = SOONEST;
    tell({ kind: "all" });
  };
  source.onmessage = ({ data }) => tell(JSON.parse(data));
  source.onerror = () => {
    // The browser itself mends a connection that was lost, but takes a refusal for the last word.
    if (source.readyState !== EventSource.CLOSED) return;
    timer = setTimeout(open, pause);
    pause = Math.min(2 * pause, LATEST);
  };
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = undefined;
}

async function tell(fact) {
  spread(fact);
  if (fact.kind === "end") close();
  else if (fact.kind !== "beat") (await import("./news.js")).look(spread);
}

setInterval(() => {
  if (source) tabs.postMessage({ kind: "lead" });
  // The browser has put the leading tab to sleep.
  else if (!document.hidden && Date.now() - led > SILENCE) lead({ steal: true });
  // A connection that died silently.
  if (source?.readyState < EventSource.CLOSED && !isAlive()) open();
}, CHECK);

lead();
