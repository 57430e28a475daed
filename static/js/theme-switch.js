/**
 * `<theme-switch>`: the button in the bar that goes round as the device, dark, light. The theme changes at once; the form
 * inside is sent behind it. Without scripts the form does the same with a page load.
 */

import { post } from "./post.js";
import { wear } from "./theme.js";
import { say } from "./toast-stack.js";

const NEXT = { system: "dark", dark: "light", light: "system" };
const ICON = { system: "monitor", dark: "moon", light: "sun" };

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
  }

  async handleEvent(event) {
    event.preventDefault();
    const form = event.target;
    const before = document.documentElement.dataset.theme;
    const chosen = form.elements.theme.value;
    const sent = post(form);
    this.show(chosen);
    try {
      await sent;
      // A mail without colours follows the theme.
      document.querySelector(".message-frame")?.contentWindow.location.reload();
    } catch (error) {
      this.show(before);
      say(error.message);
    }
  }

  show(theme) {
    wear(theme);
    this.querySelector("[name=theme]").value = NEXT[theme];
    const button = this.querySelector("button");
    button.title = `Theme: ${theme}`;
    button.ariaLabel = `Change theme, now ${theme}`;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICON[theme]}`));
  }
}

customElements.define("theme-switch", ThemeSwitch);
