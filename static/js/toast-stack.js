/**
 * `<toast-stack>`: says a sentence at the foot of the window for a while. It is a live region, so it is heard too.
 *
 * Anyone speaks through it with a DOM event: `say("Moved to Archive")`.
 */

// Milliseconds.
const SHOWN = 8000;

/** Show `words` to the person; with `label` also a button that calls `act`. */
export function say(words, label, act) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { words, label, act } }));
}

class ToastStack extends HTMLElement {
  connectedCallback() {
    document.addEventListener("toast", this);
    this.addEventListener("click", this);
  }

  handleEvent(event) {
    if (event.type === "toast") this.show(event.detail);
    else if (event.target.closest("button:not([name])")) event.target.closest(".toast").remove();
  }

  show({ words, label, act }) {
    // The same sentence twice is one toast that stays longer.
    for (const toast of this.children) if (toast.firstChild.textContent === words) toast.remove();
    const toast = make("div", { className: "toast" });
    toast.append(words);
    if (label) toast.append(make("button", { className: "do", textContent: label, onclick: act }));
    toast.append(make("button", { textContent: "×", ariaLabel: "Dismiss" }));
    this.append(toast);
    // Not while it is pointed at or about to be pressed.
    const go = () => (toast.matches(":hover,:focus-within") ? setTimeout(go, 1000) : toast.remove());
    setTimeout(go, SHOWN);
  }
}

const make = (name, values) => Object.assign(document.createElement(name), values);

customElements.define("toast-stack", ToastStack);
