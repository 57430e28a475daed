/**
 * `<message-view data-pk>`: the open message. Says so when it appears (`message:open`), lets the frame be as high as the
 * mail in it, and sends the flag forms without leaving the page, telling the list at once (`message:flag`).
 *
 * The mail in the frame runs no script. It has our origin, so this page may measure it and hear the keys pressed in it;
 * nothing in it is changed but the zoom of its root.
 */

import { post } from "./post.js";
import { say } from "./toast-stack.js";

// A mail whose height depends on the frame's would grow for ever: this many steps, then it scrolls inside.
const STEPS = 40;
const SMALLEST_ZOOM = 0.5;

class MessageView extends HTMLElement {
  #observer;
  #steps = 0;
  #width = 0;

  connectedCallback() {
    this.addEventListener("submit", this);
    this.addEventListener("click", this);
    for (const button of this.querySelectorAll("[data-print]")) button.hidden = false;
    const frame = this.frame;
    if (frame) {
      frame.addEventListener("load", this);
      if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank")
        this.#watch();
    }
    this.dispatchEvent(new CustomEvent("message:open", { bubbles: true, detail: { pk: this.dataset.pk } }));
  }

  disconnectedCallback() {
    this.#observer?.disconnect();
  }

  /** The frame with the HTML of the mail, or null when the mail is plain text. */
  get frame() {
    return this.querySelector(".message-frame");
  }

  handleEvent(event) {
    switch (event.type) {
      case "load":
        this.#watch();
        break;
      case "submit":
        if (event.target.matches("[data-flag]")) this.#send(event);
        else if (event.target.matches("[data-zoom]")) this.#enlarge(event);
        break;
      case "click":
        if (event.target.closest("[data-print]")) window.print();
        this.#look(event);
        // A menu that has been used closes; text is made larger more than once.
        if (event.target.closest(".menu a")) event.target.closest("details").open = false;
    }
  }

  /** What a link with `data-dialog` leads to is shown in a dialog, whose module is loaded when it is first wanted. */
  async #look(event) {
    const link = event.target.closest("[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { show } = await import("./preview-dialog.js");
    show(link);
  }

  #watch() {
    const view = this.frame.contentWindow;
    const page = this.frame.contentDocument;
    this.#observer?.disconnect();
    this.#steps = 0;
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(this.frame);
    this.#observer.observe(page.documentElement);
    this.#observer.observe(page.body);
    this.dispatchEvent(new CustomEvent("frame:ready", { bubbles: true, detail: { window: view } }));
    this.#fit();
  }

  #fit() {
    const frame = this.frame;
    const page = frame.contentDocument;
    const root = page.documentElement;
    if (frame.clientWidth !== this.#width) {
      this.#width = frame.clientWidth;
      this.#steps = 0;
      root.style.zoom = "";
    }
    const zoom = this.#zoom(root, page.body, frame.clientWidth);
    if (zoom < 1) root.style.zoom = zoom;
    // The box of the root ends with the content; its scrollHeight would never be less than the frame's.
    const margins = parseFloat(getComputedStyle(page.body).marginBlockEnd) || 0;
    const content = Math.max(root.getBoundingClientRect().height, page.body.scrollHeight * zoom + margins);
    const bar = root.scrollWidth > root.clientWidth ? 16 : 0;
    const height = Math.ceil(content) + bar;
    if (Math.abs(height - frame.clientHeight) < 2 || ++this.#steps > STEPS) return;
    frame.style.blockSize = `${height}px`;
  }

  /** How far a mail wider than the pane is made smaller; what is wider still scrolls sideways in its frame. */
  #zoom(root, body, room) {
    const now = parseFloat(root.style.zoom) || 1;
    // Both measures are of the page as it is zoomed now.
    const wide = Math.max(root.scrollWidth, body.scrollWidth);
    if (wide <= room + 1) return now;
    // What overflows ends at the edge; leave it the margin that it has at its start.
    const margin = parseFloat(getComputedStyle(body).marginInlineStart) || 0;
    return Math.max(SMALLEST_ZOOM, (now * room) / (wide + margin));
  }

  async #send(event) {
    event.preventDefault();
    const form = event.target;
    const flag = form.dataset.flag;
    const on = form.elements.on.value === "1";
    const sent = post(form);
    this.show(flag, on);
    try {
      await sent;
    } catch (error) {
      this.show(flag, !on);
      say(error.message);
    }
  }

  /** Larger or smaller text: shown at once, remembered for the next message. */
  #enlarge(event) {
    event.preventDefault();
    const body = this.querySelector(".message-body");
    const size = Number(body.dataset.size) + Number(event.submitter.value);
    if (size < 0 || size > 3) return;
    body.dataset.size = size;
    post(event.target, event.submitter).catch((error) => say(error.message));
  }

  /** A flag's form as it is when that is set or not: it always offers the other. The list is told. */
  show(flag, on) {
    const form = this.querySelector(`[data-flag=${flag}]`);
    if (!form) return;
    const button = form.querySelector("button");
    const words = flag === "seen" ? ["Mark read", "Mark unread"] : ["Flag", "Remove the flag"];
    form.elements.on.value = on ? "0" : "1";
    form.elements.idem_key.value = crypto.randomUUID();
    button.ariaLabel = words[Number(on)];
    // Flagging and taking the flag off again have the same key, which stands behind the words.
    button.title = button.ariaLabel + (flag === "flagged" ? (button.title.match(/ \(.+\)$/)?.[0] ?? "") : "");
    if (flag === "flagged") button.classList.toggle("flagged", on);
    else this.#icon(button, on ? "mail" : "mail-open");
    this.dispatchEvent(new CustomEvent("message:flag", { bubbles: true, detail: { pk: this.dataset.pk, flag, on } }));
  }

  #icon(button, name) {
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
  }
}

customElements.define("message-view", MessageView);
