/**
 * A second net under a draft: what is typed lies in this browser until the server has it. Signing out clears it
 * (Clear-Site-Data). It is offered when the page that lost it is opened again.
 */

import { offer } from "./notice.js";

const FIELDS = ["to", "cc", "bcc", "reply_to", "subject", "text", "html", "is_html"];

export class DraftCopy {
  constructor(composer) {
    this.composer = composer;
  }

  get #key() {
    return `draft:${new URL(this.composer.form.action).pathname}`;
  }

  /** Keep what is typed now. */
  keep() {
    const words = {};
    for (const name of FIELDS) words[name] = this.composer.form.elements[name]?.value ?? "";
    try {
      localStorage.setItem(this.#key, JSON.stringify(words));
    } catch {
      // Full or forbidden: the server's copy is the first net.
    }
  }

  /** The server has it. */
  forget() {
    localStorage.removeItem(this.#key);
  }

  /** What was lost here, if it is not what stands in the form. */
  offer() {
    const kept = JSON.parse(localStorage.getItem(this.#key) ?? "null");
    if (!kept) return;
    const { elements } = this.composer.form;
    const differs = FIELDS.some((name) => elements[name] && (kept[name] ?? "") !== elements[name].value);
    if (!differs) {
      this.forget();
      return;
    }
    offer(this.composer.said, "This browser has words of this draft that were not saved.", {
      "Bring them back": () => {
        for (const name of FIELDS) if (elements[name] && name in kept) elements[name].value = kept[name];
        this.composer.dispatchEvent(new CustomEvent("compose:filled"));
        this.composer.changed();
      },
      "Throw them away": () => this.forget(),
    });
  }
}
