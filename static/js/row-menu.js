/** The menu of a row: right click, Shift+F10 or the menu key, a long press. It holds what the list's bar holds. */

import { act } from "./acts.js";
import { selected } from "./selection.js";

const LONG = 550;
let menu;
let pressed = 0;
let isLong = false;

document.addEventListener("contextmenu", (event) => {
  const row = event.target.closest("#acts .row");
  // With Shift the browser's own menu comes, as everywhere.
  if (!row || (event.shiftKey && event.button === 2)) return;
  event.preventDefault();
  show(row, event.clientX, event.clientY);
});

// Browsers that send no contextmenu for a long press (Safari on iOS).
document.addEventListener("touchstart", (event) => {
  const row = event.target.closest("#acts .row");
  clearTimeout(pressed);
  if (!row || event.touches.length > 1) return;
  const { clientX, clientY } = event.touches[0];
  pressed = setTimeout(() => {
    isLong = !menu?.matches(":popover-open");
    if (isLong) show(row, clientX, clientY);
  }, LONG);
});
document.addEventListener("touchmove", () => clearTimeout(pressed), { passive: true });
for (const name of ["touchend", "touchcancel"]) {
  document.addEventListener(
    name,
    (event) => {
      clearTimeout(pressed);
      // The finger that opened the menu presses nothing when it is lifted.
      if (isLong && event.cancelable) event.preventDefault();
      isLong = false;
    },
    { passive: false },
  );
}

function show(row, x, y) {
  const key = row.querySelector(".pick > input").value;
  const chosen = selected();
  const keys = chosen.includes(key) ? null : [key];
  menu ??= document.body.appendChild(make());
  menu.replaceChildren(...items(keys));
  menu.showPopover();
  const link = row.querySelector("a");
  const box = link.getBoundingClientRect();
  // From the keyboard there is no place but the row.
  const [left, top] = x || y ? [x, y] : [box.left + 60, box.bottom];
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(top, innerHeight - menu.offsetHeight - 8))}px`;
  menu.opener = link;
  menu.firstChild.focus();
}

function make() {
  const made = document.createElement("div");
  made.className = "menu row-menu";
  made.popover = "auto";
  made.role = "menu";
  made.ariaLabel = "Act on this message";
  made.addEventListener("keydown", step);
  made.addEventListener("toggle", ({ newState }) => {
    if (newState === "closed" && made.contains(document.activeElement)) made.opener.focus({ preventScroll: true });
  });
  return made;
}

/** The bar's buttons once more, with their words. */
function items(keys) {
  const buttons = [...document.querySelectorAll(".bar [name=act]")];
  // What stands in the bar may stand in its menu too, for where the bar is short.
  const once = buttons.filter(({ value }, place) => buttons.findIndex((other) => other.value === value) === place);
  return once.map((button) => {
    const item = document.createElement("button");
    item.type = "button";
    item.role = "menuitem";
    item.append(button.querySelector("svg").cloneNode(true), button.ariaLabel ?? button.textContent.trim());
    item.addEventListener("click", () => {
      menu.opener.focus({ preventScroll: true });
      menu.hidePopover();
      act(button.value, keys);
    });
    return item;
  });
}

function step(event) {
  const all = [...menu.children];
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const to = { Home: 0, End: -1 }[event.key];
  event.stopPropagation();
  if (event.key === "Escape" || event.key === "Tab") menu.hidePopover();
  if (!by && to === undefined) return;
  event.preventDefault();
  const at = all.indexOf(document.activeElement);
  (to === undefined ? all[(at + by + all.length) % all.length] : all.at(to)).focus();
}
