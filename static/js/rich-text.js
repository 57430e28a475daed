/**
 * The words of a draft with formatting: Squire in the place of the field of text, loaded when it is wanted. What comes in and
 * goes out is `rich-html.js`; the server washes it again before it is sent. Pictures that are pasted or dropped go up at once
 * and are shown where the cursor was.
 */

import Squire from "../npm/squire.js";
import { offer } from "./notice.js";
import { policy } from "./policy.js";
import { again, fromText, incoming, outgoing, pasted, wordsOf } from "./rich-html.js";

const LINK = /^(?:https?:\/\/|mailto:)\S+$/i;
const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;
// Pixels that a picture is wide at most, unless somebody makes it wider.
const WIDEST = 640;
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

export class RichText {
  #isOurs = false;

  constructor(composer) {
    this.composer = composer;
    this.bar = composer.querySelector(".formats");
    this.place = composer.querySelector(".rich");
    this.area = composer.querySelector("textarea");
    this.fields = composer.form.elements;
    // Before Squire, which would take a picture's file for nothing.
    for (const name of ["paste", "drop"]) this.place.addEventListener(name, this, true);
    this.editor = new Editor(this.place, {
      sanitizeToDOMFragment: (html) => (this.#isOurs ? incoming(html, composer.files.pictures) : pasted(html)),
    });
    this.editor.addEventListener("input", this);
    this.editor.addEventListener("pathChange", this);
    this.editor.setKeyHandler("Ctrl-k", (_editor, event) => {
      event.preventDefault();
      this.#link();
    });
    this.bar.addEventListener("click", this);
    // A press of a button leaves the selection where it is.
    this.bar.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
  }

  /** Go on with formatting: with the draft's, or with the words of the field. */
  open() {
    const html = this.fields.is_html.value === "1" ? this.fields.html.value : "";
    this.#isOurs = true;
    this.editor.setHTML(html || fromText(this.area.value));
    this.#isOurs = false;
    // Whoever writes whom it is for goes on with that.
    const isElsewhere =
      document.activeElement.matches("input, select") && this.composer.contains(document.activeElement);
    this.#show(true);
    this.fields.is_html.value = "1";
    this.#keep();
    this.editor.moveCursorToStart();
    if (isElsewhere) this.editor.blur();
    else this.editor.focus();
  }

  /** Put HTML of ours where the cursor is. */
  insert(html) {
    this.#isOurs = true;
    this.editor.insertHTML(html);
    this.#isOurs = false;
    this.editor.focus();
  }

  /** Put a signature in the place of another one, or above the quote; see `signature.js`. */
  sign(before, after) {
    const run = before ? runOf(this.place, bare(wordsOf(before))) : [];
    if (before && !run.length) return;
    const signature = after ? incoming(`<div>${after}</div>`, this.composer.files.pictures) : "";
    const quote = this.place.querySelector("blockquote");
    this.editor.saveUndoState();
    if (run.length) run[0].before(signature);
    else if (quote) (quote.previousElementSibling ?? quote).before(signature);
    else this.place.append(signature);
    for (const node of run) node.remove();
  }

  handleEvent(event) {
    switch (event.type) {
      case "click":
        this.#press(event.target.closest("button")?.dataset.act);
        break;
      case "pathChange":
        this.#mark();
        break;
      case "paste":
        this.#take(event, event.clipboardData);
        break;
      case "drop":
        this.#take(event, event.dataTransfer);
        break;
      default:
        // Squire also tells of what only it needs.
        if (this.#keep()) this.composer.changed();
    }
  }

  /** Note how the message stands; return whether it is another one now. */
  #keep() {
    const { html } = this.fields;
    const before = html.value;
    html.value = outgoing(this.editor.getHTML());
    return html.value !== before;
  }

  /** Pictures that are pasted or dropped among the words; other files are attached. */
  #take(event, data) {
    const files = [...data.files];
    if (!files.length || !files.every((file) => PICTURE.test(file.type))) return;
    if (wordsOf(data.getData("text/html")).trim()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.composer.form.classList.remove("dragged");
    const at = event.type === "drop" && document.caretPositionFromPoint?.(event.clientX, event.clientY);
    if (at && this.place.contains(at.offsetNode)) {
      const range = document.createRange();
      range.setStart(at.offsetNode, at.offset);
      this.editor.setSelection(range);
    }
    const range = this.editor.getSelection();
    this.composer.files.add(files, (id, href, name) => this.#picture(id, href, name, range));
  }

  async #picture(id, href, name, range) {
    if (this.place.contains(range.startContainer)) this.editor.setSelection(range);
    const image = this.editor.insertImage(href, { "data-src": `cid:${encodeURI(id)}`, alt: name });
    // Another picture that came with it stands behind it.
    range.setStartAfter(image);
    range.collapse(true);
    await image.decode().catch(() => {});
    if (image.naturalWidth > WIDEST) image.width = WIDEST;
    this.#keep();
    this.composer.changed();
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
    const formatted = this.place.querySelector("b, i, u, a, ul, ol, img, table, h1, h2, h3, font, [style]");
    if (!formatted) this.#plain();
    else
      offer(this.composer.said, "In plain text the formatting and pictures are lost; the words stay.", {
        "Make it plain text": () => this.#plain(),
        "Keep the formatting": () => this.editor.focus(),
      });
  }

  async #plain() {
    // As the server would write them for whoever reads plain text.
    const words = await this.composer.readable();
    this.area.value = words ?? this.place.innerText;
    this.fields.is_html.value = "0";
    delete this.fields.is_html.dataset.was;
    this.fields.html.value = "";
    this.#show(false);
    this.area.focus();
    this.composer.changed();
  }

  #show(rich) {
    this.area.hidden = rich;
    this.place.hidden = this.bar.hidden = !rich;
    this.composer.format.hidden = rich;
  }
}

const bare = (text) => text.replace(/\s+/g, "");

/** The last nodes beside one another outside of quotes that hold these words, blanks aside, and nothing else. */
function runOf(place, wanted) {
  for (const start of [...place.querySelectorAll(":not(blockquote, blockquote *)")].reverse()) {
    const run = [];
    let words = "";
    for (let node = start; node && wanted.startsWith(words + bare(node.textContent)); node = node.nextSibling) {
      run.push(node);
      words += bare(node.textContent);
      if (words === wanted)
        return run[0].parentNode !== place && !run[0].previousSibling && !node.nextSibling ? [run[0].parentNode] : run;
    }
  }
  return [];
}
