/**
 * At the end of the row under the mouse stand the acts one wants most. Only for the mouse: the keys, the bar and the
 * row's menu have them too, so these take no focus and aren't read out.
 */

import { act } from "./acts.js";

const WANTED = ["archive", "delete", "toggle-read"];
const ends = document.createElement("div");
ends.className = "row-acts";
ends.ariaHidden = "true";

document.addEventListener("pointerover", ({ target, pointerType }) => {
  if (pointerType === "mouse") show(target.closest?.("#acts .row"));
});

// Drawn anew, the row under the mouse has lost them.
document.addEventListener("htmx:after:swap", () => {
  if (ends.hasChildNodes()) show(document.querySelector("#acts .row:hover"));
});

function show(row) {
  if (!row) ends.replaceChildren();
  else if (ends.parentElement !== row) {
    ends.replaceChildren(...WANTED.map((name) => button(name, row)).filter(Boolean));
    row.append(ends);
  }
  if (!ends.hasChildNodes()) ends.remove();
}

/** The bar's button once more, or none where it has none. */
function button(name, row) {
  const other = name === "toggle-read" ? (row.matches(".unread") ? "read" : "unread") : name;
  const origin = document.querySelector(`.bar [value=${other}]`);
  if (!origin) return null;
  const made = document.createElement("button");
  made.type = "button";
  made.tabIndex = -1;
  made.className = "icon-button";
  made.title = origin.title || origin.textContent.trim();
  made.append(origin.querySelector("svg").cloneNode(true));
  // The focus stays where it is.
  made.addEventListener("mousedown", (event) => event.preventDefault());
  made.addEventListener("click", () => {
    show(null);
    act(other, [row.querySelector(".pick > input").value]);
  });
  return made;
}
