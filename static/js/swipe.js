/**
 * Rows moved sideways by a finger: the person's settings say what each direction does (`data-swipe` of the panes, right
 * and left). The browser keeps what goes up and down to itself (`touch-action: pan-y`).
 */

import { act } from "./acts.js";

const WORDS = { archive: "Archive", delete: "Delete", read: "Read or unread" };
const BEGIN = 12;
// Of the row's width, from where on letting go does it.
const FAR = 0.33;

let swipe = null;

document.addEventListener("pointerdown", (event) => {
  const link = event.target.closest("#acts .row > a, #acts .row > .pick");
  if (event.pointerType !== "touch" || !event.isPrimary || !link) return;
  const row = link.closest(".row");
  swipe = { row, link: row.querySelector("a"), x: event.clientX, y: event.clientY, by: 0, name: "" };
});

document.addEventListener("pointermove", (event) => {
  if (!swipe || event.pointerType !== "touch") return;
  const by = event.clientX - swipe.x;
  const aside = Math.abs(event.clientY - swipe.y);
  if (!swipe.by && (Math.abs(by) < BEGIN || aside * 1.5 > Math.abs(by))) return;
  const [right, left] = document.querySelector("#panes").dataset.swipe.split(" ");
  const name = by > 0 ? right : left;
  swipe.name = WORDS[name] ? name : "";
  if (!swipe.name) return;
  swipe.by = by;
  swipe.row.dataset.swipe = WORDS[name];
  swipe.row.dataset.side = by > 0 ? "start" : "end";
  swipe.row.classList.toggle("far", isFar());
  swipe.link.style.translate = `${by}px`;
});

for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, (event) => {
    if (!swipe || event.pointerType !== "touch") return;
    const { row, link, by, name: wanted } = swipe;
    const isMeant = event.type === "pointerup" && isFar();
    swipe = null;
    if (!by) return;
    link.style.translate = "";
    delete row.dataset.swipe;
    row.classList.remove("far");
    if (isMeant) act(wanted === "read" ? "toggle-read" : wanted, [row.querySelector(".pick > input").value]);
  });
}

function isFar() {
  return Math.abs(swipe.by) > swipe.row.offsetWidth * FAR;
}
