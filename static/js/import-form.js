/**
 * `<import-form>` around a form with files of mail: sends them up in pieces and shows how far it is. A piece that doesn't
 * get through is sent again until it does, so a connection may be lost meanwhile. The browser remembers what is under way:
 * whoever left the page, chooses the same files again and goes on. Without scripts the form sends them whole.
 */

import { send, sentence } from "./post.js";
import { say } from "./toast-stack.js";

// Milliseconds before a piece is sent again: doubled each time.
const SOONEST = 1000;
const LATEST = 15_000;
// Where the browser remembers which files are sent by which form.
const UNDER_WAY = "import";

class ImportForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.far = this.querySelector(".far");
    this.addEventListener("submit", this);
  }

  handleEvent(event) {
    if (event.type === "beforeunload") event.preventDefault();
    else if (event.submitter?.value === "cancel") this.#cancel(event);
    else {
      event.preventDefault();
      if (!this.stopped) this.#import();
    }
  }

  async #import() {
    const files = [...this.form.elements.files.files];
    const total = files.reduce((sum, { size }) => sum + size, 0);
    const most = Number(this.getAttribute("most"));
    if (files.length > most) return say(`Choose ${most.toLocaleString("en")} files at most at a time.`);
    if (total > Number(this.getAttribute("room")))
      return say(`These files have ${mega(total)}, and there is room for ${mega(this.getAttribute("room"))}.`);
    this.#show(true);
    try {
      const here = await this.#resume(files);
      let sent = 0;
      for (const [number, file] of files.entries())
        for await (const size of this.#pieces(file, number, here[number] ?? 0)) {
          sent += size;
          this.#tell(sent, total);
        }
      const data = new FormData(this.form);
      data.delete("files");
      data.set("sent", JSON.stringify(files.map(({ name, size }) => [name, size])));
      const { go } = await (await send(this.form.action, data)).json();
      localStorage.removeItem(UNDER_WAY);
      this.#show(false);
      location.href = go;
    } catch (error) {
      this.#show(false);
      if (error.name !== "AbortError") say(error.message);
    }
  }

  /** Take up the upload of the same files that was broken off, or begin one; how many pieces of each file are there. */
  async #resume(files) {
    const which = JSON.stringify([
      this.getAttribute("to"),
      ...files.map((each) => [each.name, each.size, each.lastModified]),
    ]);
    const key = this.form.elements.idem_key;
    const before = JSON.parse(localStorage.getItem(UNDER_WAY));
    if (before?.which === which) key.value = before.key;
    localStorage.setItem(UNDER_WAY, JSON.stringify({ which, key: key.value }));
    const answer = await fetch(`${this.getAttribute("to")}?key=${encodeURIComponent(key.value)}`).catch(() => null);
    return answer?.ok && !answer.redirected ? answer.json() : {};
  }

  async *#pieces(file, number, here) {
    const piece = Number(this.getAttribute("piece"));
    for (let at = 0; at < file.size; at += piece) {
      const slice = file.slice(at, at + piece);
      if (at >= here * piece) await this.#send(`file=${number}&number=${at / piece}`, slice);
      yield slice.size;
    }
  }

  /** Send one piece, as often as it takes. Rejects when the server refuses it, or the person has thought better of it. */
  async #send(which, body) {
    const { idem_key, csrfmiddlewaretoken } = this.form.elements;
    const href = `${this.getAttribute("to")}?key=${encodeURIComponent(idem_key.value)}&${which}`;
    const headers = { "X-CSRFToken": csrfmiddlewaretoken.value, "Content-Type": "application/octet-stream" };
    for (let pause = SOONEST; ; pause = Math.min(2 * pause, LATEST)) {
      const { signal } = this.stopped;
      const answer = await fetch(href, { method: "POST", body, headers, signal, redirect: "manual" }).catch((error) => {
        signal.throwIfAborted();
        return error;
      });
      if (answer.ok) return;
      if (answer.type === "opaqueredirect")
        throw new Error("You are signed out. Sign in again, then choose the files once more.");
      if (answer.status === 409) {
        localStorage.removeItem(UNDER_WAY);
        throw new Error(await answer.text());
      }
      if (answer.status && answer.status < 500 && answer.status !== 429) throw new Error(sentence(answer.status));
      this.querySelector(".figures").textContent = "The connection is lost. It goes on by itself.";
      await new Promise((done) => setTimeout(done, pause));
      signal.throwIfAborted();
    }
  }

  #cancel(event) {
    // Whoever sends nothing yet has nothing to cancel; what was sent is thrown away by the form itself.
    if (!this.stopped) event.preventDefault();
    this.stopped?.abort();
    localStorage.removeItem(UNDER_WAY);
    this.form.elements.files.value = "";
    this.#show(false);
  }

  #show(busy) {
    this.stopped = busy ? new AbortController() : null;
    this.far.hidden = !busy;
    this.querySelector("[value=cancel]").hidden = !busy;
    this.querySelector("[data-send]").disabled = busy;
    if (busy) {
      this.#tell(0, 1);
      window.addEventListener("beforeunload", this);
    } else window.removeEventListener("beforeunload", this);
  }

  #tell(sent, total) {
    this.querySelector("progress").value = sent / total;
    this.querySelector(".figures").textContent = sent ? `${mega(sent)} of ${mega(total)} sent` : "";
  }
}

function mega(octets) {
  return `${(Number(octets) / 1_000_000).toFixed(1)} MB`;
}

customElements.define("import-form", ImportForm);
