/** Sending a form from a script, as the browser would, without leaving the page. */

/**
 * POST `form`, as if `submitter` was pressed, and return the response.
 *
 * Rejects with an Error whose message is a sentence for the person: when there is no connection, or when the server
 * refused. What the person changed on the page is then the caller's to undo.
 */
export function post(form, submitter) {
  return send(form.action, new FormData(form, submitter));
}

/** Likewise, for what no form on the page says: POST `data`, a FormData, to `href`. */
export async function send(href, data) {
  const request = {
    method: "POST",
    body: new URLSearchParams(data),
    headers: { "HX-Request": "true" },
    redirect: "manual",
  };
  let response;
  try {
    response = await fetch(href, request);
  } catch {
    throw new Error("No connection. Nothing was changed; try again when you are back online.");
  }
  // The only redirect in answer to a script is the one to sign in.
  if (response.type === "opaqueredirect") throw new Error("You are signed out. Reload the page to sign in again.");
  // Refused for a reason that the server puts in words.
  if (response.status === 409) throw new Error(await response.text());
  if (!response.ok) throw new Error(sentence(response.status));
  return response;
}

/** What an HTTP status means to the person in front of the page. */
export function sentence(status) {
  if (status === 403) return "The page was open too long and has expired. Reload it and try again.";
  if (status === 404) return "That is no longer here. It was moved or deleted elsewhere.";
  if (status === 429) return "That was too often. Wait a moment and try again.";
  if (status >= 500) return "The server could not do that just now. What you see is as it was; try again in a minute.";
  return "The server refused that. Nothing was changed.";
}
