/**
 * `<pane-seam>`: the line between the list and the message. Dragged, or moved with the arrow keys, it sets the width of the
 * list (the height, where the message is below it); a double click puts it back. This browser remembers it.
 *
 * Loaded before the first paint (`blocking="render"`), so that the panes never jump; hence no imports.
 */

const WIDTH = "--list";
const HEIGHT = "--above";
const STEP = 16;
const root = document.documentElement;

for (const name of [WIDTH, HEIGHT]) {
  const kept = localStorage.getItem(`pane${name}`);
  if (kept) root.style.setProperty(name, kept);
}

class PaneSeam extends HTMLElement {
  connectedCallback() {
    this.role = "separator";
    this.tabIndex = 0;
    this.ariaLabel = "Size of the list";
    this.setAttribute("aria-controls", "list");
    this.ariaOrientation = this.isFlat ? "horizontal" : "vertical";
    for (const name of ["pointerdown", "dblclick", "keydown"]) this.addEventListener(name, this);
    this.#say();
  }

  /** Whether the line lies flat, with the message below it. */
  get isFlat() {
    return this.closest("[data-reading]").dataset.reading === "below" && matchMedia("(min-width: 1200px)").matches;
  }

  handleEvent(event) {
    if (event.type === "pointerdown") this.#drag(event);
    else if (event.type === "dblclick") this.#set(null);
    else this.#key(event);
  }

  get #list() {
    return document.querySelector("#list").getBoundingClientRect();
  }

  #drag(event) {
    if (event.button) return;
    event.preventDefault();
    this.setPointerCapture(event.pointerId);
    const done = new AbortController();
    const move = (moved) => this.#set(this.#sizeAt(moved));
    this.addEventListener("pointermove", move, { signal: done.signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.addEventListener(name, () => done.abort(), { signal: done.signal });
    }
  }

  #sizeAt({ clientX, clientY }) {
    const list = this.#list;
    if (this.isFlat) return clientY - list.top;
    return root.dir === "rtl" ? list.right - clientX : clientX - list.left;
  }

  #key(event) {
    const keys = this.isFlat ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const at = keys.indexOf(event.key);
    if (at < 0) return;
    event.preventDefault();
    const forward = (at === 1) !== (root.dir === "rtl" && !this.isFlat);
    const size = this.isFlat ? this.#list.height : this.#list.width;
    this.#set(size + (forward ? STEP : -STEP));
  }

  #set(pixels) {
    const name = this.isFlat ? HEIGHT : WIDTH;
    if (pixels === null) {
      root.style.removeProperty(name);
      localStorage.removeItem(`pane${name}`);
    } else {
      const value = this.isFlat ? `${Math.round((pixels / innerHeight) * 100)}%` : `${Math.round(pixels)}px`;
      root.style.setProperty(name, value);
      localStorage.setItem(`pane${name}`, value);
    }
    this.#say();
  }

  #say() {
    const list = this.#list;
    const part = this.isFlat ? list.height / innerHeight : list.width / innerWidth;
    this.ariaValueNow = String(Math.round(part * 100));
  }
}

customElements.define("pane-seam", PaneSeam);
