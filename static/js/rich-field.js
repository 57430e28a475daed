/**
 * `<rich-field>`: words with formatting in a form of the settings. An editor stands in the place of the field of text, which
 * follows from what is written there until somebody writes it anew; the server makes it, and shows how all of it will look.
 * What nobody touched goes back as it came.
 */

import { offer } from "./notice.js";
import { RichEditor } from "./rich-editor.js";
import { fromText, incoming, pasted } from "./rich-html.js";

// Milliseconds without typing after which the server is asked.
const PAUSE = 400;
// What the server keeps of it, and what else is a line of its own.
const KEPT = /^(?:A|B|BR|DIV|EM|I|LI|OL|P|SPAN|STRONG|U|UL)$/;
const LINES = /^(?:TR|H[1-6]|BLOCKQUOTE|PRE|CENTER|DD|DT|SECTION|ARTICLE|HEADER|FOOTER)$/;

/** Of what is pasted, words, lines, lists and links. */
class Words extends RichEditor {
  pasted(html) {
    const found = pasted(html);
    for (const element of [...found.querySelectorAll("*")].reverse()) {
      if (KEPT.test(element.tagName)) continue;
      if (/^T[DH]$/.test(element.tagName)) element.append(" ");
      const line = LINES.test(element.tagName) && document.createElement("div");
      if (line) line.append(...element.childNodes);
      element.replaceWith(...(line ? [line] : element.childNodes));
    }
    return found;
  }
}

class RichField extends HTMLElement {
  #timer = 0;
  #isTouched = false;
  #isSent = false;
  // How many times the server was asked: its last answer counts.
  #asked = 0;

  connectedCallback() {
    this.area = this.querySelector("textarea");
    this.form = this.area.form;
    this.html = this.form.elements[this.dataset.html];
    this.text = this.querySelector(".as-text");
    this.sent = this.querySelector(".as-sent");
    this.#open();
    this.editor.editor.addEventListener("input", () => this.#changed());
    this.area.addEventListener("input", () => {
      this.dataset.own = "";
      this.#changed();
    });
    this.addEventListener("focusin", ({ target }) => {
      if (target === this.area || target === this.editor.place) this.last = target;
    });
    this.addEventListener("click", this);
    for (const name of ["paste", "drop"]) this.editor.place.addEventListener(name, (event) => this.#take(event), true);
    for (const part of [this.text, this.sent]) part.addEventListener("toggle", () => this.#show());
    this.form.addEventListener("change", () => this.#later());
    this.form.addEventListener("formdata", ({ formData }) => this.#fill(formData));
    this.form.addEventListener("submit", () => {
      this.#isSent = true;
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.#isTouched && !this.#isSent) event.preventDefault();
    });
  }

  handleEvent({ target }) {
    const button = target.closest("button");
    if (button?.dataset.fill) this.#insert(button.dataset.fill);
    else if (button?.dataset.anew !== undefined) {
      delete this.dataset.own;
      this.#changed();
      this.area.focus();
    }
  }

  /** Put the editor where the field of text was, and that below it. */
  #open() {
    const label = this.querySelector("label");
    const written = this.querySelector(".written");
    this.editor = new Words(written.querySelector(".formats"), written.querySelector(".rich"));
    this.editor.html = this.html.value || fromText(this.area.value);
    this.last = this.editor.place;
    label.removeAttribute("for");
    label.addEventListener("click", () => this.editor.editor.focus());
    this.area.ariaLabel = `${label.textContent} as plain text`;
    this.text.querySelector("summary").after(this.area);
    for (const part of this.querySelectorAll("[hidden]:not(input)")) part.hidden = false;
    if (this.querySelector(".error")) this.text.open = true;
    this.#say();
  }

  #changed() {
    this.#isTouched = true;
    this.#say();
    this.#later();
  }

  /** What is sent: the text is left to the server where it follows from the HTML. */
  #fill(data) {
    if (!this.#isTouched) return;
    data.set(this.html.name, this.editor.html);
    if (!this.#isOwn) data.set(this.area.name, "");
  }

  get #isOwn() {
    return "own" in this.dataset;
  }

  /** Where the text comes from. */
  #say() {
    const hint = this.text.querySelector(".hint");
    const words = this.#isOwn
      ? "You wrote these words yourself: they don't follow from those above any more. "
      : "This follows from the words above until you change it here.";
    if (hint.firstChild?.data === words) return;
    hint.replaceChildren(words);
    if (!this.#isOwn) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", textContent: "Make them from those above" });
    button.dataset.anew = "";
    hint.append(button);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), PAUSE);
  }

  /** Ask the server for the text, and how all of it looks, where somebody looks at either. */
  async #show() {
    if (!this.text.open && !this.sent.open) return;
    const number = ++this.#asked;
    const data = new FormData(this.form);
    const request = { method: "POST", body: new URLSearchParams(data), redirect: "manual" };
    const answer = await fetch(this.dataset.preview, request).catch(() => null);
    if (!answer?.ok || number !== this.#asked) return;
    const { words, text, html } = await answer.json();
    if (!this.#isOwn && this.area.value !== words) this.area.value = words;
    const [formatted, plain] = this.sent.querySelectorAll("figure > :last-child");
    formatted.replaceChildren(incoming(html, new Map()));
    plain.textContent = text;
  }

  /** Files have no place here, and a page that shows one instead would have lost what was written. */
  #take(event) {
    const data = event.clipboardData ?? event.dataTransfer;
    // Some programs bring a picture of the words beside them.
    if (!data.files.length || data.getData("text/plain")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    offer(this, "Pictures and files can't stand here, only words and links.", {
      "All right": () => this.editor.editor.focus(),
    });
  }

  /** Put a placeholder where the cursor was last. */
  #insert(mark) {
    if (this.last === this.area) {
      this.area.focus();
      document.execCommand("insertText", false, mark);
    } else this.editor.insert(mark);
  }
}

customElements.define("rich-field", RichField);
