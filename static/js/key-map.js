/**
 * `<key-map data-keys>`: what a key does, by the person's own table (`store/keys.py`): key → command. A command presses
 * the control that does the same, or becomes a DOM event (`key:next` …); the elements that answer know nothing of keys.
 * "act:…" is for the module of acts, which comes when it is first wanted. Keys in a message's frame count as well.
 */

// How long the second key of two may take.
const PAUSE = 1500;
const PRESSED = {
  back: "[data-back]",
  compose: "[data-compose]",
  reply: "[data-answer=reply]",
  reply_all: "[data-answer=reply_all]",
  forward: "[data-answer=forward]",
  plain: "[data-plain]",
  larger: "[data-zoom] [value='1']",
  smaller: "[data-zoom] [value='-1']",
  check: "[data-check] button",
  help: "[data-help]",
  settings: "#me [href^='/settings/']",
  inbox: ".mailbox[data-role=inbox]",
  drafts: ".mailbox[data-role=drafts]",
  sent: ".mailbox[data-role=sent]",
  archived: ".mailbox[data-role=archive]",
  trash: ".mailbox[data-role=trash]",
};

class KeyMap extends HTMLElement {
  #begun = "";
  #since = 0;

  connectedCallback() {
    window.addEventListener("keydown", this);
    document.addEventListener("frame:ready", this);
  }

  disconnectedCallback() {
    window.removeEventListener("keydown", this);
    document.removeEventListener("frame:ready", this);
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#press(event);
    else event.detail.window.addEventListener("keydown", this);
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.key === "Shift") return;
    if (event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]")) return;
    const keys = JSON.parse(this.dataset.keys);
    const key = typed(event);
    const both = event.timeStamp - this.#since < PAUSE ? `${this.#begun} ${key}` : key;
    this.#since = event.timeStamp;
    this.#begun = Object.keys(keys).some((each) => each.startsWith(`${key} `)) ? key : "";
    const command = keys[both] ?? keys[key];
    if (!command) return;
    this.#begun = "";
    this.#do(command, event);
  }

  async #do(command, event) {
    if (command.startsWith("act:")) {
      event.preventDefault();
      const { act } = await import("./acts.js");
      act(command.slice(4));
    } else if (PRESSED[command]) document.querySelector(PRESSED[command])?.click();
    else if (!document.dispatchEvent(new CustomEvent(`key:${command}`, { cancelable: true }))) event.preventDefault();
  }
}

/** The key as the table writes it: letters by Shift, not by Caps Lock, and by their place on keyboards of other scripts. */
function typed({ key, code, shiftKey }) {
  const letter = /^[a-z]$/i.test(key) ? key : key > "\x7f" && key.length === 1 && code.match(/^Key(.)$/)?.[1];
  if (!letter) return key;
  return shiftKey ? letter.toUpperCase() : letter.toLowerCase();
}

customElements.define("key-map", KeyMap);
