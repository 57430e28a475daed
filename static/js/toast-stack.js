/**
 * `<toast-stack>`: says a sentence at the foot of the window for a while. It is a live region, so it is heard too.
 *
 * Anyone speaks through it with a DOM event: `say("Moved to Archive")`.
 */

const SECONDS = 8;

/** Show `words` to the person. */
export function say(words) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { words } }));
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
    if (event.type === "toast") this.show(event.detail.words);
    else if (event.target.closest("button")) event.target.closest(".toast").remove();
  }

  show(words) {
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
    this.append(toast);
    setTimeout(() => toast.remove(), SECONDS * 1000);
  }
}

customElements.define("toast-stack", ToastStack);
