/**
 * `<mail-panes>`: the sidebar, the list and the message of one page. A click on a link with `data-pane="list"` or
 * `data-pane="reading"` fetches what it names into that pane and pushes its address; every such link is a real one, so a
 * modified click, a copied address and a browser without scripts all do what they should.
 *
 * `data-view` says which pane a phone shows. Back and forward ask the server for the whole page again (`hx-history-elt`).
 *
 * When something has changed (`live`) the list fetches itself anew, with the sidebar and the open message's flags.
 */

import { fetchInto } from "./fragments.js";
import { isAlive } from "./live-stream.js";

// Shorter waits show nothing: a skeleton that flashes is worse than none.
const PATIENCE = 140;
// Milliseconds until the list is fetched anew: between two changes, and twice that for each of those that follow one
// another so closely, up to a bound; for what can wait; soon after it was shown, and then less often, while a worker is
// at it; now and then, for whatever was missed, five times more seldom while changes are heard of.
const GAP = 100;
const LONGEST_GAP = 500;
const REST = 2000;
const SOON = 1000;
const NOW_AND_THEN = 60_000;
// What the person has just done may not be in an answer that comes sooner.
const SETTLED = 700;

const OWN = ["click", "submit", "message:count", "message:wanted", "message:open", "message:flag"];
const HEARD = [
  "live",
  "visibilitychange",
  "htmx:before:history:restore",
  "htmx:before:response",
  "htmx:before:swap",
  "htmx:after:swap",
  "htmx:finally:swap",
];

class MailPanes extends HTMLElement {
  #scrolled = 0;
  // The query of the list as it is shown, which the address doesn't say while a message is open.
  #query = "";
  // The address of the message that was asked for last.
  #wanted = "";
  // The pane that a phone is about to show; a view transition shows it only a frame or more later.
  #coming = "";
  #timer = 0;
  #due = Infinity;
  #tries = 0;
  #last = 0;
  #gap = GAP;
  #touched = -SETTLED;
  #isStale = false;
  #restore;
  #isMarked = false;

  connectedCallback() {
    this.#noteQuery();
    for (const name of OWN) this.addEventListener(name, this);
    for (const name of HEARD) document.addEventListener(name, this);
    this.#keepFresh(SOON);
    this.#mark();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    for (const name of HEARD) document.removeEventListener(name, this);
  }

  handleEvent(event) {
    switch (event.type) {
      case "click":
        this.#follow(event);
        break;
      case "submit":
        if (event.target.matches("[data-check]")) this.#check(event);
        else if (event.target.matches("[data-reconcile]")) this.#reconcile(event);
        break;
      case "message:count":
        this.#count(event.detail.by);
        break;
      case "htmx:before:response":
        if (event.detail.ctx.target?.id === "reading" && !this.#wanted) event.preventDefault();
        break;
      case "htmx:before:history:restore":
        this.#wanted = "";
        this.#scrolled = this.querySelector(".list-body").scrollTop;
        break;
      case "live":
        this.#hear(event.detail);
        break;
      case "visibilitychange":
        if (!document.hidden && (this.#isStale || !isAlive())) this.#keepFresh(0);
        break;
      case "message:wanted":
      case "message:open":
      case "message:flag":
        this.#touched = performance.now();
        break;
      case "htmx:before:swap":
        if (isQuiet(event)) this.#beforeFresh(event);
        break;
      case "htmx:after:swap":
        if (isQuiet(event)) this.#restore();
        else if (event.detail.ctx.target === this) this.#restored();
        break;
      default:
        // By now the title is what the server said.
        this.#mark();
    }
  }

  /** Show the message at `href` beside the list, or instead of it where there is room for one pane. */
  async openMessage(href) {
    const reading = this.querySelector("#reading");
    const list = this.querySelector("#list");
    const before = this.#coming || this.dataset.view;
    reading.ariaBusy = "true";
    const cover = this.#template("#skeleton");
    const { href: from } = location;
    const timer = setTimeout(() => {
      reading.append(cover);
      this.#view("message");
      // From here on Back leads to the list, whether the message has come or not.
      history.replaceState({ htmx: true }, "");
      history.pushState({ htmx: true }, "", href);
    }, PATIENCE);
    this.#wanted = href;
    this.dispatchEvent(new CustomEvent("message:wanted", { bubbles: true, detail: { href } }));
    wake();
    const shown = await fetchInto(reading, href, { push: "true" });
    clearTimeout(timer);
    cover.remove();
    // Another message was asked for meanwhile, or the list again: this one has neither come nor failed.
    if (this.#wanted !== href) return;
    if (!shown && location.href === href) history.replaceState({ htmx: true }, "", from);
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
    this.#keepFresh(SOON);
    this.#view("list");
    this.querySelector("#reading").replaceChildren(this.#template("#none"));
    this.dispatchEvent(new CustomEvent("message:closed", { bubbles: true }));
    this.querySelector("#list-title").focus({ preventScroll: true });
  }

  /** Make the list as the server has it now, the counts and the open message's flags with it; quietly. */
  fetchList() {
    const list = this.querySelector("#list");
    const href = new URL(list.dataset.fresh, location.href);
    href.searchParams.set("quiet", "1");
    // The next one is marked before it is there.
    const current = list.querySelector(".row > [aria-current]")?.pathname.match(/\d+/)[0];
    const open = current ?? this.querySelector("message-view")?.dataset.pk;
    if (open) href.searchParams.set("open", open);
    return fetchInto(list, href.href, { swap: "outerMorph" });
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
    list.ariaBusy = "true";
    form.classList.add("htmx-request");
    // The same page of the list again, whichever it is.
    await fetchInto(list, form.action + this.#query, { method: "POST", source: form, swap: "outerHTML" });
    form.classList.remove("htmx-request");
    list.ariaBusy = "false";
  }

  async #reconcile(event) {
    event.preventDefault();
    await (await import("./comparing.js")).compare(event.target);
    this.#keepFresh(0);
  }

  #hear(news) {
    const { kind, unread, count } = news;
    if (kind === "end") location.assign(`/sign-in/?${new URLSearchParams({ next: location.pathname })}`);
    else if (kind === "news") {
      this.#mark(unread);
      if (count && !document.hidden) import("./news.js").then(({ announce }) => announce(news));
    } else if (kind === "refused") import("./refusals.js").then(({ tell }) => tell());
    else if (kind !== "beat" && kind !== "seen" && this.#isShown(news))
      // How old the list is can wait, for the page counts on; so can what another mailbox holds.
      this.#keepFresh(kind === "state" || !this.#isShown({ mailbox: news.mailbox }) ? REST : 0);
  }

  /** Whether a change is about something on this page. Counts of any mailbox are; rows of another one aren't. */
  #isShown({ kind, mailbox }) {
    const { fresh } = this.querySelector("#list").dataset;
    return !mailbox || kind === "mailboxes" || fresh.includes("from=") || fresh.includes(`/${mailbox}/`);
  }

  /** Before the list is made as it is now: what it would do to what the person sees and does is noted, to be undone. */
  #beforeFresh(event) {
    if (this.#touched > this.#last - SETTLED) {
      event.preventDefault();
      this.#keepFresh(SETTLED);
      return;
    }
    const body = this.querySelector(".list-body");
    const links = () => [...body.querySelectorAll(".row > a")];
    const edge = body.getBoundingClientRect().top;
    const first = body.scrollTop ? links().find((link) => link.getBoundingClientRect().bottom > edge) : null;
    const place = first?.getBoundingClientRect().top;
    const focused = links().indexOf(document.activeElement);
    this.#restore = () => {
      if (first?.isConnected) body.scrollTop += first.getBoundingClientRect().top - place;
      // The message that had the focus is gone: the next one gets it.
      if (focused >= 0 && !body.contains(document.activeElement)) (links()[focused] ?? links().at(-1))?.focus();
    };
  }

  /** Fetch the list anew in so many milliseconds, or sooner if that is planned; not too soon after the last time. */
  #keepFresh(wait) {
    const due = Math.max(performance.now() + wait, this.#last + this.#gap);
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refetch(), due - performance.now());
  }

  /** What is selected, focused and scrolled to stays. A window that nobody sees waits until somebody does. */
  async #refetch() {
    const list = this.querySelector("#list");
    this.#due = Infinity;
    const rest = performance.now() - this.#last;
    this.#gap = rest < this.#gap + GAP ? Math.min(2 * this.#gap, LONGEST_GAP) : GAP;
    this.#last += rest;
    this.#isStale = document.hidden;
    // It would take the place of what the person has asked for.
    const isBusy = list.ariaBusy === "true";
    if (!document.hidden && !isBusy && navigator.onLine) await this.fetchList();
    const isDue = isBusy || "due" in list.dataset;
    this.#tries = isDue ? this.#tries + 1 : 0;
    this.#keepFresh(isDue ? Math.min(SOON * 2 ** this.#tries, NOW_AND_THEN) : NOW_AND_THEN * (isAlive() ? 5 : 1));
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
    wake();
  }

  #noteQuery() {
    this.#query = this.dataset.view === "list" ? location.search : this.querySelector("#list").dataset.query;
  }

  /** The unread count of the mailbox that is shown, until the server says it anew. Shortened ones stay. */
  #count(by) {
    for (const count of this.querySelectorAll(".mailbox[aria-current] .count, .list-title .count")) {
      if (/^\d+$/.test(count.textContent)) count.textContent = Math.max(0, Number(count.textContent) + by);
    }
    if (this.querySelector(".mailbox[aria-current][data-role=inbox]")) this.#mark(Math.max(0, this.#unread + by));
  }

  /** How many are unread in all inboxes: what the window's title and icon say. */
  get #unread() {
    return Number(this.querySelector(".sidebar-scroll").dataset.unread);
  }

  #mark(unread = this.#unread) {
    this.querySelector(".sidebar-scroll").dataset.unread = unread;
    const title = document.title.replace(/^\(\d+\) /, "");
    document.title = unread ? `(${unread}) ${title}` : title;
    this.#isMarked ||= unread > 0;
    if (this.#isMarked) import("./badge.js").then(({ draw }) => draw(unread));
  }

  #template(selector) {
    return this.querySelector(selector).content.firstElementChild.cloneNode(true);
  }
}

/** The open message's element: its module comes when there is a message, with the page or now. */
function wake() {
  import("./message-view.js");
}

/** Whether htmx brings a list that nobody asked for. */
function isQuiet({ detail: { ctx } }) {
  return ctx.target?.id === "list" && ctx.swap === "outerMorph";
}

customElements.define("mail-panes", MailPanes);
