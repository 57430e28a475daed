/** What the mail server refused after the page had shown it as done: said once, with the way to more about it. */

import { say } from "./toast-stack.js";

// Keys of jobs of which it was said.
const told = new Set();

/** Ask what was refused just now and say it. Whoever can't be asked is asked when the next thing is refused. */
export async function tell() {
  let refused;
  try {
    ({ refused } = await (await fetch("/jobs/refused/", { redirect: "manual" })).json());
  } catch {
    return;
  }
  for (const [key, words] of refused) {
    if (told.has(key)) continue;
    told.add(key);
    say(words, "Show", () => location.assign("/jobs/"));
  }
}
