/**
 * `<save-form>` around a form: what is changed is saved at once, and the section's `<output>` says so. Without scripts
 * its button does the same.
 */

import { post } from "./post.js";
import { wear } from "./theme.js";
import { say } from "./toast-stack.js";

const SECONDS = 4;

class SaveForm extends HTMLElement {
  connectedCallback() {
    for (const row of this.querySelectorAll(".button-row")) row.hidden = true;
    this.addEventListener("change", this);
    this.addEventListener("submit", this);
  }

  async handleEvent(event) {
    if (event.type === "submit") event.preventDefault();
    const form = this.querySelector("form");
    if (!form.reportValidity()) return;
    if (event.target.name === "theme") wear(event.target.value);
    try {
      await post(form);
    } catch (error) {
      say(error.message);
      return;
    }
    this.tell("Saved");
  }

  tell(words) {
    const output = this.closest("section").querySelector("output");
    output.textContent = words;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      output.textContent = "";
    }, SECONDS * 1000);
  }
}

customElements.define("save-form", SaveForm);
