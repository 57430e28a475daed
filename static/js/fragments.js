/**
 * htmx, made safe and polite.
 *
 * Trusted Types are enforced on our pages. htmx asks its `initSecurity` hook for the policy through which it parses what
 * the server answered; ours, named `app`, is the only one the content security policy allows. It passes HTML on and
 * refuses every script: a fragment with a `<script>` in it is an error, and so is any attribute htmx would evaluate.
 *
 * An answer that is an error changes nothing on the page and says a sentence instead.
 */

import htmx from "../npm/htmx.js";
import { policy, refuse } from "./policy.js";
import { sentence } from "./post.js";
import { say } from "./toast-stack.js";

const AWAY = "No connection. What you see stays as it was.";

// What a person has opened stays open when it is told anew, and Tab goes where it went.
htmx.config.morphIgnore.push("open", "tabindex");

htmx.registerExtension("app", {
  init: (api) => api.initSecurity(policy, refuse, refuse),
});

document.addEventListener("htmx:before:response", (event) => {
  const { raw, status } = event.detail.ctx.response;
  // Nobody asked for a list that fetches itself anew, so nobody is told or sent away when that fails.
  const asked = !decodeURIComponent(raw.url).includes("quiet=1");
  // Stopped before htmx does anything with it: even an answer that it doesn't swap in would change the address.
  if (status >= 400) {
    event.preventDefault();
    if (asked) say(sentence(status));
  }
  // Signed out meanwhile: the request ended at the sign-in page, which belongs into the window, not into a pane.
  if (raw.redirected && new URL(raw.url).pathname.startsWith("/sign-in/")) {
    event.preventDefault();
    if (asked) location.assign(`/sign-in/?${new URLSearchParams({ next: location.pathname + location.search })}`);
  }
});

// An address that stands there already: its message was slow to come.
document.addEventListener("htmx:before:history:update", ({ detail: { history: update } }) => {
  if (new URL(update.path, location.href).href === location.href) update.type = "replace";
});

document.addEventListener("htmx:error", (event) => {
  const away = event.detail.error instanceof TypeError || event.detail.error?.name === "AbortError";
  say(away ? AWAY : "That could not be shown. Reload the page.");
});

// A module that is loaded when it is first wanted, and then can't be had.
window.addEventListener("unhandledrejection", ({ reason }) => {
  if (/module/.test(reason?.message)) say(AWAY);
});

/**
 * Fetch `href` into the element `target` and return whether that happened. A newer request for the same target replaces
 * one under way.
 *
 * `options` are those of `htmx.ajax`: `swap`, `select`, `push`, `method`, `source`.
 */
export async function fetchInto(target, href, { method = "GET", source = target, ...options } = {}) {
  let swapped = false;
  const note = ({ detail: { ctx } }) => {
    swapped ||= ctx.target === target;
  };
  document.addEventListener("htmx:after:swap", note);
  try {
    await htmx.ajax(method, href, { source, target, ...options });
  } finally {
    document.removeEventListener("htmx:after:swap", note);
  }
  return swapped;
}
