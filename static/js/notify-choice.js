/**
 * `<notify-choice>` around the choice of notifications: the browser asks the person when they choose them, never before,
 * and the hint says what this browser makes of it.
 */

const WORDS = {
  denied: "This browser doesn't allow notifications from here. Its settings for this site can change that.",
  none: "This browser has no notifications.",
};

class NotifyChoice extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this);
    this.addEventListener("click", this);
    this.#tell();
  }

  async handleEvent(event) {
    const asked = event.type === "change" ? event.target.value === "True" : event.target === this.#button;
    if (asked && this.#state === "default") await Notification.requestPermission();
    this.#tell();
  }

  get #state() {
    return window.Notification?.permission ?? "none";
  }

  get #button() {
    return this.querySelector("button");
  }

  #tell() {
    const wanted = this.querySelector("[value=True]").checked;
    this.#button.hidden = !wanted || this.#state !== "default";
    const hint = this.querySelector(".hint");
    this.plain ??= hint.textContent;
    hint.textContent = (wanted && WORDS[this.#state]) || this.plain;
  }
}

customElements.define("notify-choice", NotifyChoice);
