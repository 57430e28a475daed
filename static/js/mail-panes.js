/**
 * `<mail-panes>`: the sidebar, the list and the message of one page. A click on a link with `data-pane="list"` or
 * `data-pane="reading"` fetches what it names into that pane and pushes its address; every such link is a real one, so a
 * modified click, a copied address and a browser without scripts all do what they should.
 *
 * `data-view` says which pane a phone shows. Back and forward ask the server for the whole page again (`hx-history-elt`).
 */

import { fetchInto } from "./fragments.js";

// Shorter waits show nothing: a skeleton that flashes is worse than none.
const PATIENCE = 140;
// Milliseconds until the list is fetched anew: soon, and then less often, while a worker is at it; else now and then.
const SOON = 1200;
const NOW_AND_THEN = 60_000;

class MailPanes extends HTMLElement {
  #scrolled = 0;
  // The query of the list as it is shown, which the address doesn't say while a message is open.
  #query = "";
  // The address of the message that was asked for last.
  #wanted = "";
  // The pane that a phone is about to show; a view transition shows it only a frame or more later.
  #coming = "";
  #timer = 0;
  #tries = 0;

  connectedCallback() {
    this.#noteQuery();
    this.addEventListener("click", this);
    this.addEventListener("submit", this);
    this.addEventListener("message:count", this);
    document.addEventListener("htmx:before:history:restore", this);
    document.addEventListener("htmx:after:swap", this);
    this.#keepFresh();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    document.removeEventListener("htmx:before:history:restore", this);
    document.removeEventListener("htmx:after:swap", this);
  }

  handleEvent(event) {
    switch (event.type) {
      case "click":
        this.#follow(event);
        break;
      case "submit":
        if (event.target.matches("[data-check]")) this.#check(event);
        break;
      case "message:count":
        this.#count(event.detail.by);
        break;
      case "htmx:before:history:restore":
        this.#scrolled = this.querySelector(".list-body").scrollTop;
        break;
      default:
        if (event.detail.ctx.target === this) this.#restored();
    }
  }

  /** Show the message at `href` beside the list, or instead of it where there is room for one pane. */
  async openMessage(href) {
    const reading = this.querySelector("#reading");
    const list = this.querySelector("#list");
    const before = this.#coming || this.dataset.view;
    reading.ariaBusy = "true";
    const cover = this.#template("#skeleton");
    const timer = setTimeout(() => {
      reading.append(cover);
      this.#view("message");
    }, PATIENCE);
    this.#wanted = href;
    this.dispatchEvent(new CustomEvent("message:wanted", { bubbles: true, detail: { href } }));
    const shown = await fetchInto(reading, href, { push: "true" });
    clearTimeout(timer);
    cover.remove();
    // Another message was asked for meanwhile: this one has neither come nor failed.
    if (this.#wanted !== href) return;
    reading.ariaBusy = "false";
    this.#view(shown ? "message" : before);
    // Where the message took the list's place, the focus went with the list.
    if (shown && !list.checkVisibility()) this.querySelector(".message-scroll").focus({ preventScroll: true });
    if (!shown) this.dispatchEvent(new CustomEvent("message:failed", { bubbles: true }));
  }

  /** Show the list at `href`; no message is open afterwards. */
  async openList(href) {
    this.querySelector("#sidebar").hidePopover();
    const list = this.querySelector("#list");
    list.ariaBusy = "true";
    const shown = await fetchInto(list, href, { swap: "outerHTML", push: "true" });
    list.ariaBusy = "false";
    if (!shown) return;
    this.#query = new URL(href).search;
    this.#tries = 0;
    this.#keepFresh();
    this.#view("list");
    this.querySelector("#reading").replaceChildren(this.#template("#none"));
    this.dispatchEvent(new CustomEvent("message:closed", { bubbles: true }));
    this.querySelector("#list-title").focus({ preventScroll: true });
  }

  #follow(event) {
    const link = event.target.closest("a[data-pane]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.dataset.pane === "reading") this.openMessage(link.href);
    else this.openList(link.href);
  }

  async #check(event) {
    event.preventDefault();
    const form = event.target;
    const list = this.querySelector("#list");
    form.classList.add("htmx-request");
    // The same page of the list again, whichever it is.
    await fetchInto(list, form.action + this.#query, { method: "POST", source: form, swap: "outerHTML" });
    form.classList.remove("htmx-request");
  }

  /** Fetch the list anew, by itself, while its top is on the screen: what is selected, focused and scrolled to stays. */
  #keepFresh() {
    const list = this.querySelector("#list");
    const due = "due" in list.dataset;
    this.#tries = due ? this.#tries + 1 : 0;
    const wait = due ? Math.min(SOON * 2 ** (this.#tries - 1), NOW_AND_THEN) : NOW_AND_THEN;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refetch(), wait);
  }

  async #refetch() {
    const list = this.querySelector("#list");
    const open = list.querySelector(".row > [aria-current]")?.pathname.match(/\d+/)?.[0];
    if (document.visibilityState === "visible" && list.dataset.fresh && navigator.onLine) {
      const href = new URL(list.dataset.fresh, location.href);
      href.searchParams.set("quiet", "1");
      if (open) href.searchParams.set("open", open);
      await fetchInto(list, href.href, { swap: "outerMorph" });
    }
    this.#keepFresh();
  }

  /** Show the pane called `view`, where there is room for one only. */
  #view(view) {
    if ((this.#coming || this.dataset.view) === view) return;
    this.#coming = view;
    // Of two that are on their way the first is skipped, but its change is made all the same, in order.
    const change = () => {
      this.dataset.view = view;
      if (this.#coming === view) this.#coming = "";
    };
    if (document.startViewTransition && matchMedia("(max-width: 719.98px)").matches)
      document.startViewTransition(change);
    else change();
  }

  /** After going back or forward the whole page is new; the list stays where the person had scrolled it. */
  #restored() {
    this.#noteQuery();
    this.querySelector(".list-body").scrollTop = this.#scrolled;
  }

  #noteQuery() {
    this.#query = this.dataset.view === "list" ? location.search : this.querySelector("#list").dataset.query;
  }

  /** The unread count of the mailbox that is shown, until the server says it anew. Shortened ones stay. */
  #count(by) {
    for (const count of this.querySelectorAll(".mailbox[aria-current] .count, .list-title .count")) {
      if (/^\d+$/.test(count.textContent)) count.textContent = Math.max(0, Number(count.textContent) + by);
    }
  }

  #template(selector) {
    return this.querySelector(selector).content.firstElementChild.cloneNode(true);
  }
}

customElements.define("mail-panes", MailPanes);
