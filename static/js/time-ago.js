/** `<time-ago age="4">Checked 4 s ago</time-ago>`: what was true `age` seconds ago goes on being told truly. */

class TimeAgo extends HTMLElement {
  static observedAttributes = ["age"];

  connectedCallback() {
    this.timer = setInterval(() => this.tell(Math.trunc((Date.now() - this.since) / 1000)), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  attributeChangedCallback() {
    this.since = Date.now() - 1000 * this.getAttribute("age");
  }

  tell(seconds) {
    const [size, unit] = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"] : [3600, "h"];
    const words = seconds < 2 ? "just now" : `${Math.trunc(seconds / size)} ${unit} ago`;
    this.textContent = this.textContent.replace(/just now|\d.*/, words);
  }
}

customElements.define("time-ago", TimeAgo);
