/**
 * `<toast-stack>`: says a sentence at the foot of the window for a while. It is a live region, so it is heard too.
 *
 * Anyone speaks through it with a DOM event: `say("Moved to Archive")`.
 */

const SECONDS = 8;

/** Show `words` to the person; with `label` also a button that calls `act`. */
export function say(words, label, act) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { words, label, act } }));
}

class ToastStack extends HTMLElement {
  connectedCallback() {
    document.addEventListener("toast", this);
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    document.removeEventListener("toast", this);
  }

  handleEvent(event) {
    if (event.type === "toast") this.show(event.detail);
    else if (event.target.closest("button:not([name])")) event.target.closest(".toast").remove();
  }

  show({ words, label, act }) {
    // The same sentence twice is one toast that stays longer.
    for (const toast of this.children) if (toast.firstChild.textContent === words) toast.remove();
    const toast = document.createElement("div");
    const text = document.createElement("span");
    const close = document.createElement("button");
    toast.className = "toast";
    text.textContent = words;
    close.type = "button";
    close.textContent = "×";
    close.ariaLabel = "Dismiss";
    toast.append(text, close);
    if (label) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "do";
      button.textContent = label;
      button.addEventListener("click", act);
      close.before(button);
    }
    this.append(toast);
    setTimeout(() => toast.remove(), SECONDS * 1000);
  }
}

customElements.define("toast-stack", ToastStack);
