/**
 * `<message-list>`: the rows. One of them takes Tab; the arrow keys move between them. It keeps the rows true to what
 * happens to the open message: which one it is, whether it is read, whether it is flagged.
 *
 * It hears the keys (`key:next`, `key:previous`, `key:open`), the panes' `message:wanted`, `message:failed` and
 * `message:closed`, and the message's `message:open` and `message:flag`.
 */

const HEARD = [
  "key:next",
  "key:previous",
  "key:open",
  "message:wanted",
  "message:failed",
  "message:closed",
  "message:open",
  "message:flag",
  "htmx:after:swap",
];

class MessageList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", this);
    this.addEventListener("focusin", this);
    for (const name of HEARD) document.addEventListener(name, this);
    this.#markOpen();
    this.#rove(this.current ?? this.rows[0]);
    this.current?.scrollIntoView({ block: "nearest" });
  }

  disconnectedCallback() {
    for (const name of HEARD) document.removeEventListener(name, this);
  }

  /** All rows' links, in order. */
  get rows() {
    return [...this.querySelectorAll(".row > a")];
  }

  /** The row of the open message, or null. */
  get current() {
    return this.querySelector(".row > [aria-current]");
  }

  handleEvent(event) {
    switch (event.type) {
      case "keydown":
        this.#arrow(event);
        break;
      case "focusin":
        if (event.target.matches(".row > a")) this.#rove(event.target);
        break;
      case "key:next":
        this.#step(1, event);
        break;
      case "key:previous":
        this.#step(-1, event);
        break;
      case "key:open":
        this.#tabStop?.click();
        break;
      case "message:wanted":
        // Marked at once: the next j goes on from here.
        this.#mark(this.rows.find((link) => link.href === event.detail.href));
        break;
      case "message:failed":
      case "message:closed":
        this.#markOpen();
        break;
      case "htmx:after:swap":
        // Rows may have come and gone: one of them takes Tab.
        this.#rove(this.#tabStop ?? this.current ?? this.rows[0]);
        break;
      case "message:open":
        this.#opened(event.detail.pk);
        break;
      case "message:flag":
        this.#flag(this.#row(event.detail.pk), event.detail);
    }
  }

  get #tabStop() {
    return this.querySelector(".row > a[tabindex='0']");
  }

  #row(pk) {
    return this.querySelector(`.row > a[href^="/message/${CSS.escape(pk)}/"]`);
  }

  #beside(link, step) {
    const rows = this.rows;
    return rows[rows.indexOf(link) + step];
  }

  #rove(link) {
    // The row's box is a stop of its own, after it.
    for (const row of this.rows) {
      row.tabIndex = row === link ? 0 : -1;
      row.nextElementSibling.firstElementChild.tabIndex = row.tabIndex;
    }
  }

  #arrow(event) {
    const link = event.target.closest(".row > a");
    if (!link || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = this.rows;
    const to = {
      ArrowDown: this.#beside(link, 1),
      ArrowUp: this.#beside(link, -1),
      Home: rows[0],
      End: rows.at(-1),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    to.focus();
  }

  /** j and k: the next message when one is open, else the next row. */
  #step(step, event) {
    const from = this.current ?? this.#tabStop;
    const isStart = !this.current && !this.contains(document.activeElement);
    const to = isStart ? this.#tabStop : this.#beside(from, step);
    if (!to) return;
    event.preventDefault();
    if (this.current) to.click();
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  }

  #opened(pk) {
    const link = this.#row(pk);
    this.#mark(link);
    if (!link) return;
    this.#rove(link);
    this.#flag(link, { flag: "seen", on: true });
  }

  #markOpen() {
    const open = document.querySelector("message-view");
    this.#mark(open && this.#row(open.dataset.pk));
  }

  #mark(link) {
    this.current?.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
  }

  #flag(link, { flag, on }) {
    if (!link) return;
    if (flag === "seen") this.#read(link, on);
    else this.#star(link, on);
  }

  #read(link, on) {
    const row = link.parentElement;
    if (row.classList.contains("unread") !== on) return;
    row.classList.toggle("unread", !on);
    const heard = document.createElement("span");
    heard.className = "heard";
    heard.textContent = "Unread";
    link.querySelector(".dot").replaceChildren(...(on ? [] : [heard]));
    this.dispatchEvent(new CustomEvent("message:count", { bubbles: true, detail: { by: on ? -1 : 1 } }));
  }

  #star(link, on) {
    link.querySelector(".star")?.remove();
    if (!on) return;
    const star = document.createElement("i");
    star.className = "star";
    star.role = "img";
    star.ariaLabel = "Flagged";
    link.querySelector(".marks").append(star);
  }
}

customElements.define("message-list", MessageList);
