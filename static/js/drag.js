/** Rows dragged onto a mailbox at the side are moved there, with Ctrl copied. The key is "Move to…". */

import { carryOut } from "./acts.js";
import { selected } from "./selection.js";

let dragged = null;

document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.("#acts .row");
  if (!row) return;
  const key = row.querySelector(".pick > input").value;
  const chosen = selected();
  dragged = chosen.includes(key) ? chosen : [key];
  const label = document.createElement("div");
  label.className = "dragged";
  label.textContent = dragged.length === 1 ? "1 message" : `${dragged.length} messages`;
  document.body.append(label);
  event.dataTransfer.setDragImage(label, -8, -8);
  event.dataTransfer.effectAllowed = "copyMove";
  setTimeout(() => label.remove());
});

document.addEventListener("dragover", (event) => {
  const place = placeOf(event);
  if (!place) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = event.ctrlKey ? "copy" : "move";
});

document.addEventListener("dragenter", (event) => mark(placeOf(event)));

document.addEventListener("drop", (event) => {
  const place = placeOf(event);
  if (!place) return;
  event.preventDefault();
  const target = place.pathname.match(/\d+/)[0];
  carryOut(event.ctrlKey ? "copy" : "move", { keys: dragged, more: { target } });
});

document.addEventListener("dragend", () => {
  dragged = null;
  mark(null);
});

/** The mailbox under the pointer, if it can take what is dragged. */
function placeOf(event) {
  return dragged && event.target.closest?.("a.mailbox:not([aria-current])");
}

function mark(place) {
  document.querySelector(".mailbox.drop-here")?.classList.remove("drop-here");
  place?.classList.add("drop-here");
}
