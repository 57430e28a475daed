/**
 * The dialog over a message in which an attachment is looked at or saved, or a list left. The links with `data-dialog` go to pages of
 * their own; here the same words are fetched from them. Loaded when the first such link is pressed.
 */

import { fetchInto } from "./fragments.js";
import { post } from "./post.js";
import { say } from "./toast-stack.js";

let dialog;
let opener;

/** Show where `link` leads. Focus goes back to the link when the dialog closes. */
export async function show(link) {
  opener = link;
  wear(link.closest("[data-sheet]").dataset.sheet);
  dialog ??= make();
  if (!dialog.isConnected) document.body.append(dialog);
  dialog.showModal();
  await turn(link.href);
}

async function turn(href) {
  const room = dialog.firstChild;
  room.ariaBusy = "true";
  const shown = await fetchInto(room, href);
  room.ariaBusy = "false";
  if (!shown) dialog.close();
  else room.querySelector(".preview-stage, select")?.focus();
}

function make() {
  const made = document.createElement("dialog");
  made.className = "dialog preview-dialog";
  made.setAttribute("closedby", "any");
  made.setAttribute("aria-labelledby", "preview-title");
  made.append(document.createElement("div"));
  made.addEventListener("click", clicked);
  made.addEventListener("keydown", pressed);
  made.addEventListener("submit", sent);
  made.addEventListener("close", () => {
    made.firstChild.replaceChildren();
    if (opener.isConnected) opener.focus();
  });
  return made;
}

function clicked(event) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.matches("[data-close]")) dialog.close();
  else if (link.matches("[data-dialog]")) turn(link.href);
  else return;
  event.preventDefault();
}

/** The keys of the page below mean nothing here; the arrows go from one attachment to the next. */
function pressed(event) {
  event.stopPropagation();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const steps = { ArrowLeft: "prev", ArrowRight: "next" };
  dialog.querySelector(`[rel=${steps[event.key] ?? "none"}]`)?.click();
}

async function sent(event) {
  event.preventDefault();
  const form = event.target;
  try {
    const response = await post(form);
    const files = opener.closest("message-view").querySelector("[data-files]");
    const words = await response.text();
    dialog.close();
    say(words);
    if (form.matches("[data-once]")) opener.replaceWith(words);
    if (files) await fetchInto(files, files.dataset.files, { swap: "outerMorph" });
  } catch (error) {
    // Where it is read: a toast would lie under the dialog's veil.
    const words = dialog.querySelector("[role=alert]") ?? document.createElement("p");
    Object.assign(words, { className: "error", role: "alert", textContent: error.message });
    form.closest(".saving").append(words);
  }
}

function wear(href) {
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}
