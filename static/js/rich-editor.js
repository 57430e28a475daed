/**
 * Words with formatting: Squire with its toolbar, which the editor of messages (`rich-text.js`) and the fields of the
 * settings (`rich-field.js`) build on. What comes in and goes out is `rich-html.js`; the server washes it again.
 */

import Squire from "../npm/squire.js";
import { policy } from "./policy.js";
import { again, incoming, outgoing, pasted } from "./rich-html.js";

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

/** Squire, whose undo puts back what it read from its own page, style and all. */
class Editor extends Squire {
  _setRawHTML(html) {
    super._setRawHTML(policy.createHTML(""));
    this.getRoot().replaceChildren(...again(html));
    return this;
  }
}

export class RichEditor {
  #isOurs = false;

  /** Write in `place`; `bar` is its toolbar. */
  constructor(bar, place) {
    this.bar = bar;
    this.place = place;
    this.editor = new Editor(place, {
      sanitizeToDOMFragment: (html) => (this.#isOurs ? incoming(html, this.pictures) : this.pasted(html)),
    });
    // Its frame to resize a picture needs style attributes, takes every key there is, and counts as typed.
    this.editor._imageResizer.destroy();
    this.editor.addEventListener("pathChange", () => this.#mark());
    this.editor.setKeyHandler("Ctrl-k", (_editor, event) => {
      event.preventDefault();
      this.#link();
    });
    bar.addEventListener("click", (event) => this.press(event.target.closest("button")?.dataset.act));
    bar.addEventListener("keydown", (event) => this.#walk(event));
    // A press of a button leaves the selection where it is.
    bar.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
    for (const button of [...bar.querySelectorAll("button")].slice(1)) button.tabIndex = -1;
  }

  /** What was pasted, as nodes of the page. */
  pasted(html) {
    return pasted(html);
  }

  /** Where the pictures that the words show are shown from, by their Content-ID. */
  get pictures() {
    return new Map();
  }

  /** What is written, as a message has it. */
  get html() {
    return outgoing(this.editor.getHTML());
  }

  /** Begin with this HTML of ours. */
  set html(html) {
    this.#isOurs = true;
    this.editor.setHTML(html);
    this.#isOurs = false;
  }

  /** Put HTML of ours where the cursor is. */
  insert(html) {
    this.#isOurs = true;
    this.editor.insertHTML(html);
    this.#isOurs = false;
    this.editor.focus();
  }

  /** A button of the toolbar was pressed. */
  press(act) {
    if (act === "link") this.#link();
    else if (act === "clear") this.editor.removeAllFormatting();
    else if (act in ACTS) {
      const [make, undo, tag] = ACTS[act];
      this.editor[this.editor.hasFormat(tag) ? undo : make]();
    }
  }

  #mark() {
    for (const button of this.bar.querySelectorAll("[aria-pressed]"))
      button.ariaPressed = String(this.editor.hasFormat(ACTS[button.dataset.act][2]));
  }

  /** Tab comes to the toolbar once; arrows go on in it. */
  #walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...this.bar.querySelectorAll("button")];
    const at = buttons.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = buttons.at((at + step) % buttons.length);
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  /** The field for the address of a link, of the one that the cursor is in; empty, it takes the link away. */
  #link() {
    const field = this.bar.querySelector("input");
    field.hidden = !field.hidden;
    if (field.hidden) return;
    const range = this.editor.getSelection();
    const { startContainer: start } = range;
    const link = (start.nodeType === Node.TEXT_NODE ? start.parentNode : start).closest("a");
    if (link && range.collapsed) range.selectNodeContents(link);
    field.value = link?.getAttribute("href") ?? "";
    field.focus();
    field.onkeydown = (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        const typed = field.value.trim();
        const href = LINK.test(typed) ? typed : typed.includes("@") ? `mailto:${typed}` : `https://${typed}`;
        this.editor.setSelection(range);
        if (typed) this.editor.makeLink(href);
        else this.editor.removeLink();
        // Who writes on writes behind it, not in its place.
        const behind = this.editor.getSelection();
        behind.collapse(false);
        this.editor.setSelection(behind);
      } else if (event.key !== "Escape") return;
      event.stopPropagation();
      field.hidden = true;
      this.editor.focus();
    };
  }
}
