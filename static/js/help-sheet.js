/** The sheet of keys as a dialog over the mail: the words of its own page, fetched the first time they are asked for. */

import { fetchInto } from "./fragments.js";

let sheet;

/** Show what the link to that page names. */
export async function show(link) {
  document.querySelector("#me")?.hidePopover();
  sheet ??= make();
  if (!sheet.isConnected) document.body.append(sheet);
  if (!sheet.firstChild && !(await fetchInto(sheet, link.href, { select: "#help" }))) return;
  sheet.showModal();
}

function make() {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("closedby", "any");
  dialog.ariaLabel = "Help and keys";
  return dialog;
}
