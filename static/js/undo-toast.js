/**
 * `<undo-toast data-left>`: what the page says of a message that was just sent, with the button that takes it back. It
 * counts the seconds down that are left and goes when they are over; without them, after a while.
 */

const SECONDS = 12;

class UndoToast extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    this.ends ??= Date.now() + Number(this.dataset.left ?? SECONDS) * 1000;
    this.#timer = setInterval(() => this.#tick(), 250);
    this.#tick();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #tick() {
    const left = Math.ceil((this.ends - Date.now()) / 1000);
    if (left <= 0) {
      if (this.dataset.left) this.#sent();
      else this.remove();
    } else if (this.dataset.left) this.querySelector("button").textContent = `Undo (${left})`;
  }

  #sent() {
    clearInterval(this.#timer);
    this.querySelector("form").remove();
    this.querySelector("span").textContent = "Sent.";
    setTimeout(() => this.remove(), 3000);
  }
}

customElements.define("undo-toast", UndoToast);
