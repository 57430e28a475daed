/**
 * Orders to the server one after the other, each once the one before is answered: they are recorded in the order they
 * were meant in. Whoever leaves the page leaves none behind.
 */

import { send as sendNow } from "./post.js";

const waiting = [];
let isBusy = false;

/** POST `data`, a FormData, to `href` when its turn has come; as `send` of `post.js` does it. */
export function send(href, data) {
  return new Promise((resolve, reject) => {
    waiting.push({ href, data, go: () => sendNow(href, data).then(resolve, reject) });
    if (!isBusy) go();
  });
}

async function go() {
  isBusy = true;
  while (waiting.length) await waiting.shift().go();
  isBusy = false;
}

// A beacon is sent even as the page goes.
window.addEventListener("pagehide", () => {
  for (const { href, data } of waiting.splice(0)) navigator.sendBeacon(href, new URLSearchParams(data));
});
