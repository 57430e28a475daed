/**
 * The HTML of a message between the form and the editor. What the server cleaned keeps its looks; of what is pasted the words,
 * lists and links are kept. Pictures that go with the message are shown from where they were saved to, those of other hosts are
 * never loaded: `data-src` is what stands in the message.
 *
 * The page's policy refuses style attributes to whatever is parsed, also out of sight, and reports them. So they are parsed as
 * `data-style` and become styles one by one, which it allows.
 */

import "../npm/purify.js";
import { policy } from "./policy.js";

const PASTED = {
  RETURN_DOM_FRAGMENT: true,
  TRUSTED_TYPES_POLICY: policy,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "svg", "math", "video", "audio", "img"],
  FORBID_ATTR: ["style", "class", "id", "name"],
};
const OURS = {
  ...PASTED,
  ADD_ATTR: ["data-style"],
  ADD_URI_SAFE_ATTR: ["data-style"],
  FORBID_TAGS: PASTED.FORBID_TAGS.filter((tag) => tag !== "img"),
};

const TAG = /<[a-z](?:[^<>"']|"[^"]*"|'[^']*')*>/gi;

/** What was pasted, as nodes of the page. */
export function pasted(html) {
  return document.importNode(globalThis.DOMPurify.sanitize(undressed(html), PASTED), true);
}

/** The message's HTML as nodes of the page. `pictures`: where each Content-ID is shown from. */
export function incoming(html, pictures) {
  const found = dressed(globalThis.DOMPurify.sanitize(undressed(html), OURS));
  for (const image of found.querySelectorAll("img[src]")) {
    const source = image.getAttribute("src");
    image.dataset.src = source;
    const shown = /^cid:/i.test(source) && pictures.get(decoded(source.slice(4)));
    if (shown) image.setAttribute("src", shown);
    else image.removeAttribute("src");
  }
  return document.importNode(found, true);
}

/** The editor's HTML as the message has it. */
export function outgoing(html) {
  const body = inert(html);
  for (const image of body.querySelectorAll("img")) {
    if (image.dataset.src) image.setAttribute("src", image.dataset.src);
    else image.remove();
    image.removeAttribute("data-src");
  }
  return body.innerHTML;
}

/** The editor's own HTML, which it had a moment ago, as nodes of the page. */
export function again(html) {
  return document.importNode(inert(html), true).childNodes;
}

/** The words of HTML: none, say, of a picture which was copied from a page. */
export function wordsOf(html) {
  return inert(html).textContent;
}

/** Plain text as HTML, a block for each line, with its quotes. */
export function fromText(text) {
  let depth = 0;
  let html = "";
  for (const line of text.split("\n")) {
    const [marks] = line.match(/^(?:> ?)*/);
    const level = marks.split(">").length - 1;
    html += "<blockquote>".repeat(Math.max(0, level - depth)) + "</blockquote>".repeat(Math.max(0, depth - level));
    depth = level;
    html += `<div>${escaped(line.slice(marks.length)) || "<br>"}</div>`;
  }
  return html + "</blockquote>".repeat(depth);
}

function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/ {2}/g, "&nbsp; ");
}

/** HTML as an element that is no part of the page. */
function inert(html) {
  return dressed(new DOMParser().parseFromString(policy.createHTML(undressed(html)), "text/html").body);
}

function undressed(html) {
  return html.replace(TAG, (tag) =>
    tag.replace(/"[^"]*"|'[^']*'|([\s/])style(?=\s*=)/gi, (found, before) => (before ? `${before}data-style` : found)),
  );
}

function dressed(root) {
  for (const element of root.querySelectorAll("[data-style]")) {
    element.style.cssText = element.dataset.style;
    element.removeAttribute("data-style");
  }
  return root;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
