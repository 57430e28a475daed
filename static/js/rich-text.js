/**
 * The words of a draft with formatting: an editor in the place of the field of text, loaded when it is wanted. Pictures that
 * are pasted or dropped go up at once and are shown where the cursor was.
 */

import { offer } from "./notice.js";
import { RichEditor } from "./rich-editor.js";
import { fromText, incoming, wordsOf } from "./rich-html.js";

const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;
// Pixels that a picture is wide at most, unless somebody makes it wider.
const WIDEST = 640;

export class RichText extends RichEditor {
  constructor(composer) {
    const place = composer.querySelector(".rich");
    // Before Squire, which would take a picture's file for nothing.
    const take = (event) => this.#take(event, event.clipboardData ?? event.dataTransfer);
    for (const name of ["paste", "drop"]) place.addEventListener(name, take, true);
    super(composer.querySelector(".formats"), place);
    this.composer = composer;
    this.area = composer.querySelector("textarea");
    this.fields = composer.form.elements;
    // Squire also tells of what only it needs.
    this.editor.addEventListener("input", () => this.#keep() && composer.changed());
  }

  get pictures() {
    return this.composer.files.pictures;
  }

  /** Go on with formatting: with the draft's, or with the words of the field. */
  open() {
    const html = this.fields.is_html.value === "1" ? this.fields.html.value : "";
    this.html = html || fromText(this.area.value);
    const { text = "", html: formatted = "" } = this.composer.sender?.dataset ?? {};
    if (!html && text) this.#exchange(text, formatted);
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

  /** Put a signature in the place of another one, or above the quote; see `signature.js`. */
  sign(before, after) {
    this.editor.saveUndoState();
    this.#exchange(wordsOf(before), after);
  }

  /** Put HTML of ours in the place of these words. */
  #exchange(words, after) {
    const run = words ? runOf(this.place, bare(words)) : [];
    if (words && !run.length) return;
    const signature = after ? incoming(`<div>${after}</div>`, this.pictures) : "";
    const quote = this.place.querySelector("blockquote");
    // The line that begins a signature is one of plain text.
    const mark = run[0]?.previousElementSibling;
    if (mark?.textContent.trim() === "--") mark.remove();
    if (run.length) run[0].before(signature);
    else if (quote) (quote.previousElementSibling ?? quote).before(signature);
    else this.place.append(signature);
    for (const node of run) node.remove();
  }

  /** Note how the message stands; return whether it is another one now. */
  #keep() {
    const { html } = this.fields;
    const before = html.value;
    html.value = this.html;
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

  press(act) {
    if (act === "plain") this.#leave();
    else super.press(act);
  }

  #leave() {
    const formatted = this.place.querySelector(
      "b, i, u, s, a, ul, ol, img, table, :is(h1, h2, h3, h4, h5, h6), font, code, pre, hr, sub, sup, [style], [align]",
    );
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
