/** What an act has to be told first, asked in a dialog: where to, with what word, whether one is sure. */

import { fetchInto } from "./fragments.js";

const WORDS = { move: "Move to…", copy: "Copy to…", label: "Label…", unlabel: "Take a label off…" };

/** Ask for a mailbox. Resolves to `{target}`, to `{create}` with the name of one to be made, or to null. */
export async function target(name, action) {
  const { dialog, chosen } = open(WORDS[name]);
  const field = input({ role: "combobox", placeholder: "Type a part of its name", ariaLabel: "Mailbox" });
  const options = element("div", { className: "targets", id: "targets", role: "listbox", ariaLabel: "Mailboxes" });
  field.setAttribute("aria-controls", "targets");
  field.ariaExpanded = "true";
  dialog.append(field, options);
  field.focus();
  field.addEventListener("input", () => filter(field, options));
  field.addEventListener("keydown", (event) => walk(event, field, options));
  options.addEventListener("click", ({ target: at }) => {
    const option = at.closest("[role=option]");
    if (option) dialog.close(option.dataset.create ? `create:${option.dataset.create}` : `target:${option.value}`);
  });
  // Until it is known which mailboxes there are none is made: Enter waits for the list.
  options.ariaBusy = "true";
  await fetchInto(options, action.replace(/act\/.*/, "targets/"));
  options.ariaBusy = null;
  filter(field, options);
  if ("entered" in options.dataset) enter(options);
  const [kind, ...rest] = (await chosen).split(":");
  return kind ? { [kind]: rest.join(":") } : null;
}

/** Ask for a label. Resolves to `{keyword}` or null. */
export async function label(name) {
  const { dialog, chosen } = open(WORDS[name]);
  const form = element("form", { method: "dialog", className: "form" });
  const field = input({ ariaLabel: "Label", required: true, maxLength: 60 });
  const known = element("datalist", { id: "labels" });
  const words = [...document.querySelectorAll(".row .label")].map((each) => each.textContent);
  known.append(...[...new Set(words)].map((value) => element("option", { value })));
  field.setAttribute("list", "labels");
  form.append(field, known, buttons(name === "label" ? "Label" : "Take off", "primary"));
  form.addEventListener("submit", () => {
    dialog.returnValue = field.value;
  });
  dialog.append(form);
  field.focus();
  const keyword = await chosen;
  return keyword && keyword !== "yes" ? { keyword } : keyword ? { keyword: field.value } : null;
}

/** Ask whether messages may be gone for ever; `count` 0 for all that match. Resolves to `{sure}` or null. */
export async function sure(count) {
  const { dialog, chosen } = open("Delete for good?");
  const what = count === 1 ? "This message" : count ? `These ${count} messages` : "All messages that match";
  const words = element("p", {
    textContent: `${what} will be gone from the mail server for ever. It can't be undone.`,
  });
  const form = element("form", { method: "dialog", className: "form" });
  form.append(words, buttons("Delete for good", "danger"));
  dialog.append(form);
  form.querySelector("button").focus();
  return (await chosen) ? { sure: "1" } : null;
}

/** A dialog with a heading; `chosen` resolves to what it was closed with, "" where it was given up. */
function open(heading) {
  const dialog = element("dialog", { className: "dialog asking", ariaLabel: heading });
  dialog.setAttribute("closedby", "any");
  dialog.append(element("h2", { textContent: heading }));
  document.body.append(dialog);
  const opener = document.activeElement;
  const chosen = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus({ preventScroll: true });
      resolve(dialog.returnValue);
    });
  });
  dialog.showModal();
  return { dialog, chosen };
}

function buttons(words, kind) {
  const row = element("div", { className: "button-row" });
  const yes = element("button", { className: `button ${kind}`, value: "yes", textContent: words });
  const no = element("button", { className: "button", value: "", textContent: "Cancel", formNoValidate: true });
  row.append(yes, no);
  return row;
}

function input(values) {
  return element("input", { className: "input", autocomplete: "off", autocapitalize: "none", ...values });
}

function element(name, values) {
  return Object.assign(document.createElement(name), values);
}

/** Show what fits, the first of it marked; where no mailbox has just this name, it can be made. */
function filter(field, options) {
  const wanted = field.value.trim().toLowerCase();
  const pieces = wanted.split(/\s+/);
  options.querySelector("[data-create]")?.remove();
  let isThere = false;
  for (const option of options.querySelectorAll("[role=option]")) {
    const title = option.textContent.trim().toLowerCase();
    isThere ||= title === wanted;
    option.hidden = !pieces.every((piece) => title.includes(piece));
  }
  if (wanted && !isThere && !options.ariaBusy) {
    const create = element("button", { type: "button", role: "option", textContent: `Make “${field.value.trim()}”` });
    create.dataset.create = field.value.trim();
    options.append(create);
  }
  mark(field, options, shown(options)[0]);
}

function enter(options) {
  shown(options)
    .find((option) => option.ariaSelected === "true")
    ?.click();
}

function walk(event, field, options) {
  const all = shown(options);
  const at = all.findIndex((option) => option.ariaSelected === "true");
  if (event.key === "Enter") {
    event.preventDefault();
    if (options.ariaBusy) options.dataset.entered = "";
    else enter(options);
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  mark(field, options, all[(at + step + all.length) % all.length]);
}

function shown(options) {
  return [...options.querySelectorAll("[role=option]:not([hidden])")];
}

function mark(field, options, wanted) {
  options.querySelectorAll("[role=option]").forEach((option, number) => {
    option.tabIndex = -1;
    option.id = `target-${number}`;
    option.ariaSelected = String(option === wanted);
  });
  if (wanted) field.setAttribute("aria-activedescendant", wanted.id);
  else field.removeAttribute("aria-activedescendant");
  wanted?.scrollIntoView({ block: "nearest" });
}
