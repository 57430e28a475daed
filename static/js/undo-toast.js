/**
 * `<undo-toast data-until>`: what the page says of a message that was just sent, with the button that takes it back. It
 * counts the seconds down to `data-until` (of the epoch) and goes when they are over; without it, after a while.
 */

const SECONDS = 12;

class UndoToast extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const until = this.dataset.until ? Number(this.dataset.until) * 1000 : Date.now() + SECONDS * 1000;
    // Another clock than ours may be wrong by hours: nobody waits longer than a minute.
    this.ends = Math.min(until, Date.now() + 60_000);
    this.#timer = setInterval(() => this.#tick(), 250);
    this.#tick();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #tick() {
    const left = Math.ceil((this.ends - Date.now()) / 1000);
    if (left <= 0) {
      if (this.dataset.until) this.#sent();
      else this.remove();
    } else if (this.dataset.until) this.querySelector("button").textContent = `Undo (${left})`;
  }

  #sent() {
    clearInterval(this.#timer);
    this.querySelector("form").remove();
    this.querySelector("span").textContent = "Sent.";
    setTimeout(() => this.remove(), 3000);
  }
}

customElements.define("undo-toast", UndoToast);
