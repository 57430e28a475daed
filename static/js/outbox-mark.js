/** The mark beside "Outbox": messages that were not sent, or may not have been. News of them is said once. */

import { say } from "./toast-stack.js";

document.addEventListener("live", ({ detail: { kind, attention } }) => {
  if (kind !== "news") return;
  const { dataset } = document.documentElement;
  // What was so when the page came is on the mark alone.
  if ("outbox" in dataset && attention > Number(dataset.outbox))
    say("A message was not sent, or may not have been. The Outbox says more.");
  dataset.outbox = attention;
});
