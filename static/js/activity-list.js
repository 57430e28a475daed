/** `<activity-list>`: the list of what was done, fetched anew while something of it is under way. */

import { fetchInto } from "./fragments.js";

const SOON = 1500;
const LATER = 15_000;

class ActivityList extends HTMLElement {
  #timer = 0;
  #round = 0;

  connectedCallback() {
    this.#wait();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #wait() {
    if (this.querySelector("[data-pending]"))
      this.#timer = setTimeout(() => this.#refetch(), Math.min(SOON * 1.3 ** this.#round++, LATER));
  }

  async #refetch() {
    // Quiet: nobody asked, so nobody is told when it fails.
    const here = new URL(location.href);
    here.searchParams.set("quiet", "1");
    if (!document.hidden) await fetchInto(this, here.href, { swap: "innerMorph" });
    this.#wait();
  }
}

customElements.define("activity-list", ActivityList);
