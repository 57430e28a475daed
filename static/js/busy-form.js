/**
 * `<busy-form words="Checking…">` around a form whose answer takes a while: its button says so and takes no second click.
 */

class BusyForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
    window.addEventListener("pageshow", this);
  }

  disconnectedCallback() {
    window.removeEventListener("pageshow", this);
  }

  handleEvent(event) {
    const button = this.querySelector("[type=submit]");
    this.label ??= button.textContent;
    // Shown again by the browser's back button, the page must be usable again.
    const busy = event.type === "submit";
    button.ariaBusy = busy ? "true" : null;
    button.textContent = busy ? this.getAttribute("words") : this.label;
  }
}

customElements.define("busy-form", BusyForm);
