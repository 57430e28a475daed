/** What was done from this page, to be taken back the last first: by a key, or by the button in the words that say it. */

import { send } from "./in-turn.js";
import { rowOf } from "./selection.js";
import { say } from "./toast-stack.js";

const done = [];

/**
 * Say what was done, with Undo beside it.
 *
 * `jobs` are what to take back; without any there is nothing. `keys` are those of the rows that left the list, and `open`
 * that of the one whose message was open and is to be opened again.
 */
export function note(words, { jobs, keys, open }) {
  hush();
  if (!jobs.length) return say(words);
  const act = { jobs, keys, open };
  done.push(act);
  say(words, "Undo", () => takeBack(act));
}

/** Take back one act, or the last one. */
export async function takeBack(act = done.at(-1)) {
  if (!act) return say("Nothing to undo.");
  done.splice(done.indexOf(act), 1);
  hush();
  const data = new FormData();
  data.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  data.set("idem_key", crypto.randomUUID());
  data.set("job", act.jobs.join(" "));
  try {
    const { words } = await (await send("/jobs/undo/", data)).json();
    say(words);
    await document.querySelector("mail-panes").fetchList();
    show(act);
  } catch (error) {
    say(error.message);
  }
}

/** The rows that came back: the first of them has the focus, and its message is open if it was. */
function show({ keys, open }) {
  const link = keys.map(rowOf).find(Boolean)?.querySelector("a");
  if (!link) return;
  rowOf(open)?.querySelector("a").click();
  link.focus();
}

/** One act is spoken of at a time. */
function hush() {
  for (const button of document.querySelectorAll(".toast > .do"))
    if (button.textContent === "Undo") button.parentElement.remove();
}
