/**
 * The sheet of keys as a dialog over the mail. The link with `data-help` goes to a page of its own; here the same words
 * are fetched from it the first time they are asked for.
 */

import { fetchInto } from "./fragments.js";

let sheet;

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-help]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  document.querySelector("#me")?.hidePopover();
  sheet ??= make();
  if (!sheet.isConnected) document.body.append(sheet);
  if (!sheet.firstChild && !(await fetchInto(sheet, link.href, { select: "#help" }))) return;
  sheet.showModal();
});

function make() {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("closedby", "any");
  dialog.ariaLabel = "Help and keys";
  return dialog;
}
