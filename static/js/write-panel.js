/**
 * The editor over the mail: a panel at the lower right with the same form as the editor's page. It is a dialog that traps
 * nothing: the list and the message stay in reach, Escape closes it, and closing keeps the draft. There is one at a time;
 * who opens another finds the first among the drafts.
 */

import "./compose-form.js";
import { offer } from "./notice.js";
import { policy } from "./policy.js";
import { sentence } from "./post.js";
import { say } from "./toast-stack.js";
import "./undo-toast.js";

let panel;
let isOpening = false;

/** Open what a link or a form's button of ours leads to. */
export async function open(control) {
  if (isOpening) return;
  isOpening = true;
  const before = document.activeElement;
  const menu = control.closest?.("details.drop");
  if (menu) menu.open = false;
  document.querySelector("#sidebar").hidePopover();
  try {
    const { form } = control;
    const [found] = await Promise.all([
      form ? ask(control.getAttribute("formaction") ?? form.action, new FormData(form, control)) : ask(control.href),
      dressed(),
    ]);
    if (found) await show(found, before);
  } finally {
    isOpening = false;
  }
}

async function show(composer, before) {
  const action = (each) => each.querySelector("form").getAttribute("action");
  const isNew = action(composer) === "/write/";
  if (panel && (isNew || action(panel) !== action(composer)) && !(await close())) return;
  panel ??= make(before);
  if (!panel.firstChild) panel.append(composer);
  if (panel.open) enlarge();
  else panel.show();
}

function make(before) {
  const dialog = document.createElement("dialog");
  dialog.className = "write-panel";
  dialog.setAttribute("aria-labelledby", "write-title");
  dialog.before = before;
  for (const name of ["click", "keydown", "compose:submit", "compose:again"]) dialog.addEventListener(name, heard);
  document.body.append(dialog);
  return dialog;
}

function heard(event) {
  switch (event.type) {
    case "click":
      press(event);
      break;
    case "keydown":
      if (event.key === "Escape" && !event.defaultPrevented && !panel.querySelector("details.drop[open]")) close();
      break;
    case "compose:submit":
      event.preventDefault();
      submit(event.detail);
      break;
    default:
      event.preventDefault();
      again();
  }
}

function press(event) {
  const control = event.target.closest("[data-panel]");
  if (!control) {
    if ("small" in panel.dataset) enlarge();
    return;
  }
  event.preventDefault();
  const { composer } = current();
  if (control.dataset.panel === "close") close();
  else if (control.dataset.panel === "small") "small" in panel.dataset ? enlarge() : reduce();
  else toPage(composer, event.ctrlKey || event.metaKey);
}

const current = () => ({ composer: panel.firstElementChild, small: panel.querySelector("[data-panel=small]") });

function reduce() {
  panel.dataset.small = "";
  current().small.ariaExpanded = "false";
}

function enlarge() {
  delete panel.dataset.small;
  current().small.ariaExpanded = "true";
  if (!panel.contains(document.activeElement)) current().composer.focusWords();
}

/** The draft's own page, here or in another tab. */
async function toPage(composer, isBeside) {
  if (!(await composer.save()) || isUploading(composer)) return;
  const back = new URLSearchParams({ back: location.pathname + location.search });
  const href = `${composer.form.getAttribute("action")}?${back}`;
  remove();
  if (isBeside) window.open(href);
  else location.assign(href);
}

/** Close the panel once what is typed is saved; resolve to whether that is so. */
async function close() {
  const { composer } = current();
  if (!(await composer.save())) {
    enlarge();
    return false;
  }
  if (isUploading(composer)) {
    reduce();
    return false;
  }
  const href = composer.form.action;
  if (composer.wasSaved) say("Saved among your drafts.", "Open", () => open({ href }));
  remove();
  return true;
}

/** Whether files would be lost if the panel went now, which is said. */
function isUploading({ files: { missing } }) {
  if (missing) say(`It stays open until this is uploaded: ${missing}.`);
  return missing !== "";
}

function remove() {
  const { before } = panel;
  panel.remove();
  panel = undefined;
  // What opened it may be gone: the toast of a draft that was saved.
  const place = before?.isConnected ? before : document.querySelector("#main");
  if (place !== document.body) place.focus({ preventScroll: true });
}

/** Send it, or throw it away, as the button says. */
async function submit(button) {
  const { composer } = current();
  const isDiscarded = button.value === "discard";
  const { version } = composer.form.elements;
  if (isDiscarded && version.value !== "0") {
    composer.busy = false;
    if (await isSure(composer)) await leave(composer, "discard", { sure: 1 });
  } else if (isDiscarded) remove();
  else await leave(composer, button.value);
}

function isSure(composer) {
  return new Promise((resolve) => {
    offer(composer.said, "This draft and its files are gone for good then.", {
      "Throw away": () => resolve(true),
      "Keep writing": () => resolve(false),
    });
    composer.said.querySelector("button").focus();
  });
}

async function leave(composer, act, extra) {
  const found = await ask(composer.form.action, composer.data(act, extra));
  composer.busy = false;
  if (found === null) remove();
  else if (found) composer.replaceWith(found);
}

/** The draft as the server has it now. */
async function again() {
  const { composer } = current();
  const found = await ask(composer.form.action);
  if (found) composer.replaceWith(found);
}

/**
 * GET or POST and return the editor that comes back; null where the answer is none, whose words are said; undefined where
 * there was none.
 */
async function ask(href, body) {
  let response;
  try {
    response = await fetch(href, { method: body ? "POST" : "GET", body, headers: { "HX-Request": "true" } });
  } catch {
    say("No connection. What you see stays as it was.");
    return undefined;
  }
  if (new URL(response.url).pathname.startsWith("/sign-in/")) location.assign(response.url);
  // The copy of a draft among the mail leads to the draft.
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) return ask(elsewhere);
  const page = new DOMParser().parseFromString(policy.createHTML(await response.text()), "text/html");
  const composer = page.querySelector("compose-form");
  if (composer) return document.importNode(composer, true);
  if (!response.ok) {
    say(sentence(response.status));
    return undefined;
  }
  for (const notice of page.querySelectorAll(".notice")) say(notice.textContent.trim());
  document
    .querySelector("toast-stack")
    .append(...[...page.querySelectorAll("undo-toast")].map((each) => document.importNode(each, true)));
  return null;
}

let sheet;

/** Resolves when the panel's style is there. */
function dressed() {
  sheet ??= new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = document.querySelector("#panes").dataset.writing;
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
  return sheet;
}
