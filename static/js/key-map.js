/**
 * `<key-map>`: which key does what. It turns keys into DOM events (`key:next` …) or presses the control that does the same;
 * the elements that answer know nothing of keys. Keys pressed inside a message's frame count as well.
 */

import "../npm/tinykeys.js";

const { tinykeys } = globalThis.tinykeys;

class KeyMap extends HTMLElement {
  connectedCallback() {
    tinykeys(window, this.keys);
    document.addEventListener("frame:ready", (event) => tinykeys(event.detail.window, this.keys));
  }

  get keys() {
    return {
      // The first that fits is done: "s" before "g s" would take its second key away.
      "g i": press(".mailbox[data-role=inbox]"),
      "g s": press("#me a"),
      j: send("key:next"),
      k: send("key:previous"),
      o: send("key:open"),
      s: send("key:flag"),
      "Shift+U": send("key:unread"),
      r: press("[data-answer=reply]"),
      a: press("[data-answer=reply_all]"),
      f: press("[data-answer=forward]"),
      c: press("[data-compose]"),
      u: press("[data-back]"),
      t: press("[data-plain]"),
      "[Shift]++": press("[data-zoom] [value='1']"),
      "-": press("[data-zoom] [value='-1']"),
      ".": press("[data-check] button"),
      "[Shift]+?": press("[data-help]"),
    };
  }
}

function send(name) {
  return (event) => {
    const heard = new CustomEvent(name, { cancelable: true });
    if (!document.dispatchEvent(heard)) event.preventDefault();
  };
}

function press(selector) {
  return () => document.querySelector(selector)?.click();
}

customElements.define("key-map", KeyMap);
