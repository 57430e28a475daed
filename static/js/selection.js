/**
 * Which rows of the list are selected. The boxes in the rows hold it, so a browser without scripts can do the same; here
 * are ranges, the keys, the words of the bar, and that a list fetched anew keeps it.
 */

import { keepFocus } from "./focus.js";

let anchor = null;
// Keys of the rows that were selected when the list was last touched: what is drawn anew is ticked by these.
let kept = new Set();

const list = () => document.querySelector("#list");

/** The boxes of all rows that are shown. */
export function boxes() {
  return [...document.querySelectorAll("#acts .row:not([hidden]) > .pick > input")];
}

/** The keys of the selected rows. */
export function selected() {
  return boxes().flatMap((box) => (box.checked ? [box.value] : []));
}

/** The row of the message with this key, if it is in the list. */
export function rowOf(key) {
  return document.querySelector(`.pick > input[value="${CSS.escape(key)}"]`)?.closest(".row");
}

/** Whether all that match are meant, beyond this page. */
export function isAll() {
  return Boolean(list().querySelector(".pick-all > input")?.checked && selected().length);
}

/** Select the rows for which `isWanted(row)` is true, and no others. */
export function select(isWanted) {
  for (const box of boxes()) box.checked = Boolean(isWanted(box.closest(".row")));
  tell();
}

/** Select all that match, beyond this page too. */
export function selectAll() {
  const beyond = list().querySelector(".pick-all > input");
  if (beyond) beyond.checked = true;
  select(() => true);
}

/** Select these rows no longer. */
export function unselect(rows) {
  for (const row of rows) row.querySelector(".pick > input").checked = false;
  tell();
}

/** Select or unselect one row. */
export function toggle(row) {
  const box = row?.querySelector(".pick > input");
  if (!box) return;
  box.checked = !box.checked;
  anchor = box;
  tell();
}

/** Say how many, and keep the page's own box true. */
function tell() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked);
  kept = new Set(chosen.map((box) => box.value));
  const bar = list().querySelector(".bar");
  if (!bar) return;
  const beyond = bar.querySelector(".pick-all");
  if (beyond && chosen.length < all.length) beyond.firstChild.checked = false;
  const page = bar.querySelector(".pick-page");
  page.hidden = false;
  page.firstChild.checked = chosen.length === all.length;
  page.firstChild.indeterminate = chosen.length > 0 && chosen.length < all.length;
  const words = isAll() ? beyond.textContent.trim() : `${chosen.length} selected`;
  bar.querySelector(".picked").textContent = chosen.length ? words : "";
  // The bar goes, and with it the button that was pressed.
  if (!chosen.length && bar.contains(document.activeElement)) keepFocus();
}

document.addEventListener("change", ({ target }) => {
  if (target.matches(".pick-page > input")) select(() => target.checked);
  else if (target.matches(".pick > input, .pick-all > input")) tell();
});

/** From the row that was selected last to this one, all are as this one is. */
document.addEventListener("click", (event) => {
  const link = event.target.closest(".row > a");
  if (link && event.shiftKey) {
    event.preventDefault();
    const box = link.parentElement.querySelector(".pick > input");
    box.checked = true;
    range(box);
  } else if (event.target.matches(".pick > input")) {
    if (event.shiftKey) range(event.target);
    anchor = event.target;
  }
});

function range(box) {
  const all = boxes();
  const ends = [all.indexOf(anchor), all.indexOf(box)].sort((one, other) => one - other);
  if (ends[0] >= 0) for (const each of all.slice(ends[0], ends[1] + 1)) each.checked = box.checked;
  anchor = box;
  tell();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !kept.size || document.querySelector("dialog[open], :popover-open")) return;
  select(() => false);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "list" && ctx.target?.id !== "panes") return;
  // Another list begins without; the same one, fetched anew, keeps what is still there.
  if (ctx.swap === "outerMorph") for (const box of boxes()) box.checked = kept.has(box.value);
  tell();
});

tell();
