/**
 * Acting on messages: on the selected ones, else on the open one, else on the row with the focus. What leaves the list
 * leaves it at once and comes back if the server refuses; what was done can be undone from the words at the foot.
 *
 * It comes after the page, with the first sign of a person (`acting.js`). Everything it does the forms of the page do as
 * well, without scripts.
 */

import { send } from "./in-turn.js";
import { boxes, isAll, rowOf, select, selectAll, selected, toggle, unselect } from "./selection.js";
import { say } from "./toast-stack.js";
import { note, takeBack } from "./undoing.js";

const LEAVING = ["archive", "delete", "junk", "not_junk", "move"];
const FLAGS = { read: ["seen", true], unread: ["seen", false], flag: ["flagged", true], unflag: ["flagged", false] };
const SELECT = {
  "select-all": () => true,
  "select-none": () => false,
  "select-read": (row) => !row.matches(".unread"),
  "select-unread": (row) => row.matches(".unread"),
  "select-flagged": (row) => row.querySelector(".star"),
};

// Keys of messages that were sent away and that a list drawn meanwhile may still hold.
const leaving = new Set();
// Flags that are on their way, which such a list may not show yet: each as `message:flag` tells it.
const flagging = new Set();
// Until the last act was answered: Undo means that one, however fast it is pressed.
let underWay = Promise.resolve();

/** Do what the key or gesture called `name` stands for, to `keys`, or to what it means by itself. */
export async function act(name, keys = null) {
  if (SELECT[name]) select(SELECT[name]);
  else if (name === "select") toggle(document.activeElement.closest(".row") ?? open());
  else if (name === "select-everything") selectAll();
  else if (name === "undo") await underWay.then(() => takeBack());
  else await order(name, keys ? { keys, all: false } : subject());
}

/** What is meant by an act that names no messages. */
function subject() {
  const chosen = selected();
  if (chosen.length) return { keys: chosen, all: isAll() };
  const key = view()?.dataset.pk ?? document.activeElement.closest(".row")?.querySelector(".pick > input").value;
  return { keys: key ? [key] : [], all: false };
}

const view = () => document.querySelector("message-view");
const open = () => view() && rowOf(view().dataset.pk);

async function order(name, { keys, all }) {
  if (!keys.length) return say("Select a message first.");
  const form = document.querySelector("#acts, .message-acts");
  const rows = keys.map(rowOf).filter(Boolean);
  const wanted = exact(name, rows, form.dataset.role);
  const more = await ask(wanted, form, all ? 0 : keys.length);
  if (more) await carryOut(wanted, { keys, all, rows, form, more });
}

/** A key that goes both ways does what changes something: "flag" clears the flag where all have it. */
function exact(name, rows, role) {
  if (name === "junk" && role === "junk") return "not_junk";
  const flagged = rows.length ? rows.every((row) => row.querySelector(".star")) : view()?.querySelector(".flagged");
  if (name === "flag" && flagged) return "unflag";
  if (name === "toggle-read") return rows.some((row) => row.matches(".unread")) ? "read" : "unread";
  return name;
}

/** What the act needs to be told first; null where the person thought better of it. */
async function ask(name, form, count) {
  const isForGood = name === "delete" && form.dataset.role === "trash";
  if (!isForGood && !["move", "copy", "label", "unlabel"].includes(name)) return {};
  const asking = await import("./asking.js");
  if (isForGood) return asking.sure(count);
  if (name === "move" || name === "copy") return asking.target(name, form.action);
  return asking.label(name);
}

/** Send the order, with the page ahead of it. Also for what knows all it needs: a row dropped on a mailbox. */
export async function carryOut(name, { keys, all = false, rows = keys.map(rowOf).filter(Boolean), form, more = {} }) {
  const at = form ?? document.querySelector("#acts, .message-acts");
  const gone = LEAVING.includes(name);
  const isOpen = gone && view() && keys.includes(view().dataset.pk);
  const next = gone ? nextOf(rows) : null;
  const reopened = isOpen && !isAlone() ? view().dataset.pk : "";
  const back = isOpen && (!next || isAlone()) ? view().querySelector("[data-back]") : null;
  const sent = send(at.action, dataOf(at, name, { keys, all, more }));
  const { promise, resolve } = Promise.withResolvers();
  underWay = promise;
  if (gone) unselect(rows);
  const flags = gone ? [] : flagsOf(name, keys);
  for (const each of flags) flagging.add(each);
  const restore = gone ? leave(keys, rows) : show(flags);
  if (gone && !back) goOn(next, isOpen);
  try {
    let answer = await sent;
    // Some of them lie in the trash, though this isn't its list.
    if (answer.status === 200) answer = await sendSurely(at, name, { keys, all, more });
    const { words, jobs } = await answer.json();
    note(words, { jobs, keys: gone ? keys : [], open: reopened });
    resolve();
    // Going back fetches the list as well.
    if (back) back.click();
    else await refresh();
  } catch (error) {
    restore();
    resolve();
    say(error.message);
  }
  for (const key of keys) leaving.delete(key);
  for (const each of flags) flagging.delete(each);
}

async function sendSurely(form, name, what) {
  const { sure } = await import("./asking.js");
  if (!(await sure(what.keys.length))) throw new Error("Nothing was deleted.");
  return send(form.action, dataOf(form, name, { ...what, more: { sure: "1" } }));
}

function dataOf(form, name, { keys, all, more }) {
  const data = new FormData();
  data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  data.set("idem_key", crypto.randomUUID());
  data.set("act", name);
  for (const key of keys) data.append("m", key);
  if (all) {
    data.set("all", "1");
    data.set("below", form.elements.below.value);
  }
  for (const [field, value] of Object.entries(more)) data.set(field, value);
  return data;
}

/** Take the rows out of the list; returns what brings them back. */
function leave(keys, rows) {
  const unread = rows.filter((row) => row.matches(".unread")).length;
  for (const key of keys) leaving.add(key);
  for (const row of rows) row.hidden = true;
  count(-unread);
  return () => {
    for (const key of keys) leaving.delete(key);
    for (const row of rows) row.hidden = false;
    count(unread);
  };
}

function count(by) {
  if (by) document.querySelector("#panes").dispatchEvent(new CustomEvent("message:count", { detail: { by } }));
}

/** What an act makes of the flags of these messages, as far as their rows don't show it. */
function flagsOf(name, keys) {
  const [flag, on] = FLAGS[name] ?? [];
  if (!flag) return [];
  return keys
    .filter((key) => {
      const row = rowOf(key);
      return row && on !== (flag === "seen" ? !row.matches(".unread") : Boolean(row.querySelector(".star")));
    })
    .map((pk) => ({ pk, flag, on }));
}

/** Show flags as they will be; returns what shows them as they were. */
function show(flags) {
  for (const detail of flags) {
    const { pk, flag, on } = detail;
    if (pk === view()?.dataset.pk) view().show(flag, on);
    else document.dispatchEvent(new CustomEvent("message:flag", { detail }));
  }
  return () => show(flags.map((each) => ({ ...each, on: !each.on })));
}

/** The row after these, or the one before them where they are the last. */
function nextOf(rows) {
  const all = boxes().map((box) => box.closest(".row"));
  const last = Math.max(...rows.map((row) => all.indexOf(row)));
  if (last < 0) return null;
  return all.slice(last + 1).find((row) => !rows.includes(row)) ?? all.findLast((row) => !rows.includes(row));
}

/** Whether the message stands in the list's place: then one goes back to the list. */
function isAlone() {
  return view().querySelector("[data-back]").checkVisibility();
}

/** The next row gets the focus, and opens where the message that was open is gone. */
function goOn(next, isOpen) {
  const link = next?.querySelector("a");
  if (isOpen) link.click();
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: "nearest" });
}

/** The list whole again after rows have left. */
function refresh() {
  return document.querySelector("mail-panes").fetchList();
}

document.addEventListener("htmx:after:swap", () => {
  for (const key of leaving) rowOf(key)?.toggleAttribute("hidden", true);
  show([...flagging]);
});

document.addEventListener("submit", (event) => {
  const name = event.submitter?.name === "act" && event.submitter.value;
  if (!event.target.matches("#acts, .message-acts") || !name) return;
  event.preventDefault();
  const menu = event.submitter.closest("details");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const isList = event.target.id === "acts";
  order(name, isList ? subject() : { keys: [view().dataset.pk], all: false });
});

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = document.querySelector("#panes").dataset.acts;
document.head.append(sheet);
