/** Comparing all of a mailbox with the server, which may take a while. */

import { post } from "./post.js";
import { say } from "./toast-stack.js";

/** Send `form`, which asks for it, and say what differed. */
export async function compare(form) {
  form.closest("details").open = false;
  say("Comparing with the server…");
  try {
    say(await (await post(form)).text());
  } catch (error) {
    say(error.message);
  }
}
