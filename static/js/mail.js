/** What the pages with mail run, on top of what every page does. */

import "./app.js";
import "./fragments.js";
import "./key-map.js";
import "./mail-panes.js";
import "./message-list.js";
import "./time-ago.js";

// The help and the editor have pages of their own; here they come over the mail, their modules when they are first wanted.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-help],[data-write]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  (await import("./over.js")).show(link);
});

// The module of acts comes with the first sign that somebody is there, before it can be wanted; under a finger at once,
// for the first sign may be a swipe.
const signs = ["pointermove", "pointerdown", "keydown", "focusin"];
const come = () => {
  for (const name of signs) document.removeEventListener(name, come);
  import("./acting.js");
};
if (matchMedia("(pointer: coarse)").matches) window.addEventListener("load", come);
else for (const name of signs) document.addEventListener(name, come);
