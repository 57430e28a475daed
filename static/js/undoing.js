/** What was done from this page, to be taken back the last first: by a key, or by the button in the words that say it. */

import { send } from "./in-turn.js";
import { rowOf } from "./selection.js";
import { say } from "./toast-stack.js";

const done = [];
let said;

/**
 * Say what was done, with Undo beside it.
 *
 * `jobs` are what to take back; without any there is nothing. `keys` are those of the rows that left the list, and `open`
 * that of the one whose message was open and is to be opened again.
 */
export function note(words, { jobs, keys, open }) {
  if (!jobs.length) return speak(words);
  const act = { jobs, keys, open };
  done.push(act);
  speak(words, "Undo", () => takeBack(act));
}

/** Take back one act, or the last one. */
export async function takeBack(act = done.at(-1)) {
  if (!act) return speak("Nothing to undo here.", "Activity", () => location.assign("/jobs/"));
  if (done.includes(act)) done.splice(done.indexOf(act), 1);
  const data = new FormData();
  data.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  data.set("idem_key", crypto.randomUUID());
  data.set("job", act.jobs.join(" "));
  try {
    const { words } = await (await send("/jobs/undo/", data)).json();
    speak(words);
    await document.querySelector("mail-panes").fetchList();
    show(act);
  } catch (error) {
    speak(error.message);
  }
}

/** The rows that came back: the first of them has the focus, and its message is open if it was. */
function show({ keys, open }, tries = 3) {
  const rows = keys.map(rowOf).filter(Boolean);
  for (const row of rows) row.hidden = false;
  rowOf(open)?.querySelector("a").click();
  rows[0]?.querySelector("a").focus();
  // The list that has them may still be on its way.
  if (keys.length && !rows.length && tries)
    document.addEventListener("htmx:after:swap", () => show({ keys, open }, tries - 1), { once: true });
}

/** One act is spoken of at a time. */
function speak(...what) {
  said?.remove();
  say(...what);
  said = document.querySelector("toast-stack").lastElementChild;
}
