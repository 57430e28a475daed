/** What the pages with mail run, on top of what every page does. */

import "./app.js";
import "./fragments.js";
import "./key-map.js";
import "./mail-panes.js";
import "./message-list.js";
import "./time-ago.js";

// A link with `data-help` goes to a page of its own; here it is a dialog, whose module comes when it is first wanted.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-help]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  (await import("./help-sheet.js")).show(link);
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
