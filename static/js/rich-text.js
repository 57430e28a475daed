/**
 * The words of a draft with formatting: Squire in the place of the field of text, loaded when it is wanted. What is pasted or
 * comes from the server is washed by DOMPurify before it is part of the page, and by the server before it is sent.
 */

import "../npm/purify.js";
import Squire from "../npm/squire.js";
import { offer } from "./notice.js";
import { policy } from "./policy.js";

const WASH = {
  RETURN_DOM_FRAGMENT: true,
  TRUSTED_TYPES_POLICY: policy,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "svg", "math", "video", "audio", "img"],
  FORBID_ATTR: ["style", "class", "id", "name"],
};
const LINK = /^(?:https?:\/\/|mailto:)\S+$/i;
// Each button's name in the toolbar: what it does, and the element that says it is on.
const ACTS = {
  bold: ["bold", "removeBold", "B"],
  italic: ["italic", "removeItalic", "I"],
  underline: ["underline", "removeUnderline", "U"],
  list: ["makeUnorderedList", "removeList", "UL"],
  numbers: ["makeOrderedList", "removeList", "OL"],
  quote: ["increaseQuoteLevel", "decreaseQuoteLevel", "BLOCKQUOTE"],
};

/** Squire, whose undo puts back what it read from its own page, under our policy. */
class Editor extends Squire {
  _setRawHTML(html) {
    return super._setRawHTML(policy.createHTML(html));
  }
}

export class RichText {
  constructor(composer) {
    this.composer = composer;
    this.bar = composer.querySelector(".formats");
    this.place = composer.querySelector(".rich");
    this.area = composer.querySelector("textarea");
    this.fields = composer.form.elements;
    this.editor = new Editor(this.place, {
      sanitizeToDOMFragment: (html) => document.importNode(globalThis.DOMPurify.sanitize(html, WASH), true),
    });
    this.editor.addEventListener("input", this);
    this.editor.addEventListener("pathChange", this);
    this.bar.addEventListener("click", this);
    // A press of a button leaves the selection where it is.
    this.bar.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
  }

  /** Go on with formatting: with the draft's, or with the words of the field. */
  open() {
    const html = this.fields.is_html.value === "1" || this.fields.is_html.dataset.was ? this.fields.html.value : "";
    this.editor.setHTML(html || asHtml(this.area.value));
    this.#show(true);
    this.fields.is_html.value = "1";
    this.fields.html.value = this.editor.getHTML();
    this.editor.focus();
    this.editor.moveCursorToStart();
  }

  handleEvent(event) {
    switch (event.type) {
      case "click":
        this.#press(event.target.closest("button")?.dataset.act);
        break;
      case "pathChange":
        this.#mark();
        break;
      default:
        this.fields.html.value = this.editor.getHTML();
        this.composer.changed();
    }
  }

  #press(act) {
    if (act === "plain") this.#leave();
    else if (act === "link") this.#link();
    else if (act === "clear") this.editor.removeAllFormatting();
    else if (act in ACTS) {
      const [make, undo, tag] = ACTS[act];
      this.editor[this.editor.hasFormat(tag) ? undo : make]();
    }
  }

  #mark() {
    for (const [act, [, , tag]] of Object.entries(ACTS))
      this.bar.querySelector(`[data-act=${act}]`).ariaPressed = String(this.editor.hasFormat(tag));
  }

  /** The field for the address of a link; empty, it takes the link away. */
  #link() {
    const field = this.bar.querySelector("input");
    field.hidden = !field.hidden;
    if (field.hidden) return;
    field.value = "";
    field.focus();
    field.onkeydown = (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        const typed = field.value.trim();
        const href = LINK.test(typed) ? typed : typed.includes("@") ? `mailto:${typed}` : `https://${typed}`;
        if (typed) this.editor.makeLink(href);
        else this.editor.removeLink();
      } else if (event.key !== "Escape") return;
      event.stopPropagation();
      field.hidden = true;
      this.editor.focus();
    };
  }

  #leave() {
    const formatted = this.place.querySelector("b, i, u, a, ul, ol, blockquote, table, h1, h2, h3, font");
    const go = () => {
      this.area.value = asText(this.place);
      this.fields.is_html.value = "0";
      delete this.fields.is_html.dataset.was;
      this.fields.html.value = "";
      this.#show(false);
      this.area.focus();
      this.composer.changed();
    };
    if (!formatted) go();
    else
      offer(this.composer.said, "In plain text the formatting is lost; the words stay.", {
        "Make it plain text": go,
        "Keep the formatting": () => this.editor.focus(),
      });
  }

  #show(rich) {
    this.area.hidden = rich;
    this.place.hidden = this.bar.hidden = !rich;
    this.composer.format.hidden = rich;
  }
}

function asHtml(text) {
  const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return escaped
    .split("\n")
    .map((line) => `<div>${line || "<br>"}</div>`)
    .join("");
}

/** Its words, a line for each block; what is quoted with its marks. */
function asText(element) {
  const lines = [];
  for (const block of element.querySelectorAll("div, p, li, pre, h1, h2, h3, td")) {
    if (block.querySelector("div, p, li, pre, h1, h2, h3, td")) continue;
    let depth = 0;
    for (let at = block.parentElement; at && at !== element; at = at.parentElement)
      if (at.nodeName === "BLOCKQUOTE") depth++;
    const mark = depth ? `${">".repeat(depth)} ` : "";
    const item = block.nodeName === "LI" ? "- " : "";
    for (const line of block.innerText.replace(/\n$/, "").split("\n")) lines.push(mark + item + line);
  }
  return lines.join("\n");
}
