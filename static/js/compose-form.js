/**
 * `<compose-form>` around the editor's form. What is typed is saved by itself: when typing pauses, and within five
 * seconds; until then a copy lies in this browser (`draft-copy.js`). Files go up at once. Without scripts the form's buttons do
 * the same. A save tells which version it saw, so that two windows notice one another.
 */

import { DraftCopy } from "./draft-copy.js";
import { Files } from "./draft-files.js";
import { offer } from "./notice.js";
import { PeopleField } from "./people-fields.js";

// So that what is typed is on the server within five seconds, its way there included.
const PAUSE = 1500;
const AT_MOST = 4000;
const RETRY = 4000;

class ComposeForm extends HTMLElement {
  #timer = 0;
  #since = 0;
  #dirty = false;
  // The save under way, or a promise that is kept already.
  #saving = Promise.resolve(true);
  #stopped = false;
  #failed = false;
  #left = false;

  connectedCallback() {
    this.form = this.querySelector("form");
    this.state = this.querySelector(".state");
    this.said = this.querySelector(".write-said");
    this.copy = new DraftCopy(this);
    this.files = new Files(this);
    // Whoever is quicker than this script has typed already.
    const isTyped = [...this.form.elements].some(differs);
    this.people = [...this.querySelectorAll("[data-people]")].map((entry) => new PeopleField(this, entry));
    const { from } = this.form.elements;
    this.sender = from?.selectedOptions?.[0] ?? from;
    this.format = this.querySelector("[data-format]");
    this.format.hidden = false;
    this.format.addEventListener("click", () => this.#format());
    if ("was" in this.form.elements.is_html.dataset) {
      this.form.elements.is_html.value = "1"; // also of what is saved before the editor is there
      this.#format();
    }
    this.form.addEventListener("input", this);
    this.form.addEventListener("change", this);
    this.form.addEventListener("submit", this);
    this.form.addEventListener("keydown", this);
    this.querySelector(".options").addEventListener("click", this);
    this.querySelector(".more-lines > summary").addEventListener("click", this);
    this.addEventListener("compose:filled", this);
    document.addEventListener("visibilitychange", this);
    window.addEventListener("pagehide", this);
    window.addEventListener("pageshow", this);
    this.copy.offer();
    if (isTyped) this.changed();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.copy.close();
    this.files.close();
    document.removeEventListener("visibilitychange", this);
    window.removeEventListener("pagehide", this);
    window.removeEventListener("pageshow", this);
  }

  handleEvent(event) {
    switch (event.type) {
      case "input":
        // The editor of formatted words says for itself what changed in it.
        if (event.target.name && event.target.type !== "file") this.changed();
        break;
      case "change":
        if (event.target.name === "from") this.#sign(event.target.selectedOptions[0]);
        break;
      case "compose:filled":
        for (const field of this.people) field.read();
        if (this.form.elements.is_html.value === "1") this.#format();
        break;
      case "submit":
        this.#submit(event);
        break;
      case "click":
        if (event.target.closest("[data-template]")) this.#fill(event);
        if (event.currentTarget.matches(".more-lines > summary")) setTimeout(() => this.#more());
        break;
      case "keydown":
        this.#key(event);
        break;
      case "pageshow":
        this.busy = false; // whoever comes back with the browser's button finds a form that works
        if (this.#left) this.#again(); // and that knows what was saved as they left
        break;
      case "pagehide":
        this.#leave();
        break;
      default:
        if (document.visibilityState === "hidden") this.save();
    }
  }

  /** Something was typed. */
  changed() {
    this.#dirty = true;
    this.dataset.unsaved = ""; // what "Saved" doesn't speak of
    this.#since ||= Date.now();
    this.copy.keep();
    this.#schedule(Math.min(PAUSE, this.#since + AT_MOST - Date.now()));
  }

  /** Save what is typed, after the save that is under way; resolves to whether it is saved. */
  save() {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  /** Save, also where nothing is typed yet: a file needs a draft. Resolves to whether there is one. */
  begun() {
    if (this.form.elements.version.value === "0") this.changed();
    return this.save();
  }

  /** POST the form with `files` (none without) and a button's value; resolves to what the server says of the draft. */
  async send(act, extra = {}) {
    const response = await fetch(this.form.action, {
      method: "POST",
      body: this.data(act, extra),
      headers: { Accept: "application/json" },
      redirect: "manual",
    });
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const answer = isJson ? await response.json() : {};
    return { status: response.status, ...answer };
  }

  /** The form's fields without its files, as they would be sent. */
  data(act, extra = {}) {
    const data = new FormData(this.form);
    data.delete("files");
    data.set("act", act);
    for (const [name, value] of Object.entries(extra)) data.set(name, value);
    return data;
  }

  /** The server has the draft in this state now. */
  took({ action, version, saved, room, files, hints }) {
    if (new URL(this.form.action).pathname !== action) {
      this.copy.forget();
      this.form.action = action;
      if (this.#dirty) this.copy.keep();
      if (!this.closest("dialog")) history.replaceState(history.state, "", action);
    }
    this.form.elements.version.value = version;
    this.files.show(files, room);
    this.#hint(hints);
    this.say(saved);
  }

  /** Say how things stand, at the top. */
  say(words, kind = "") {
    this.state.textContent = words;
    this.state.dataset.kind = kind;
  }

  /** What somebody may want to know before it leaves. Heard again only when it is something else. */
  #hint(hints) {
    const list = this.querySelector(".hints");
    if ([...list.children].map((line) => line.textContent).join("\n") === hints.join("\n")) return;
    list.replaceChildren(...hints.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
  }

  #schedule(wait) {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.save(), Math.max(0, wait));
  }

  async #save() {
    clearTimeout(this.#timer);
    if (!this.#dirty || this.#stopped) return !this.#stopped;
    this.#dirty = false;
    this.#since = 0;
    let answer;
    try {
      answer = await this.send("stay");
    } catch {
      answer = { status: 0 };
    }
    this.#failed = answer.status !== 200;
    if (!this.#failed) {
      this.took(answer);
      this.wasSaved = true;
      if (!this.#dirty) {
        delete this.dataset.unsaved;
        this.copy.forget();
      }
      return true;
    }
    this.#dirty = true;
    this.#refused(answer);
    return false;
  }

  #refused({ status, version, sentence }) {
    if (status === 409 && version) {
      this.#stopped = true;
      this.say("Not saved", "loss");
      offer(this.said, sentence, {
        "Keep mine": () => {
          this.form.elements.version.value = version;
          this.#stopped = false;
          this.save();
        },
        // Where theirs is shown, mine can be brought back.
        "Show theirs": async () => {
          await this.copy.keepNow();
          this.#dirty = false;
          this.#again();
        },
      });
    } else if (status === 404 || status === 409) {
      this.#stopped = true;
      this.say("Not saved", "loss");
      const files = this.files.list.childElementCount ? " Its files have to be attached again." : "";
      offer(this.said, `${sentence ?? "This draft was sent or thrown away in another window."}${files}`, {
        "Keep this as a new message": () => {
          this.form.action = "/write/";
          this.form.elements.version.value = 0;
          for (const key of ["form_key", "send_key"]) this.form.elements[key].value = crypto.randomUUID();
          this.#stopped = false;
          this.save();
        },
      });
    } else if (status === 403) {
      this.say("You are signed out. Sign in in another window; nothing you typed is lost.", "loss");
      this.#renew();
    } else {
      this.say(sentence ?? "Not saved: no connection. It is kept in this browser.", "loss");
      this.#schedule(RETRY);
    }
  }

  /** After a sign-in elsewhere the form needs that session's token. */
  async #renew() {
    const page = await fetch("/write/", { redirect: "manual" }).catch(() => null);
    const found = page?.ok && (await page.text()).match(/name="csrfmiddlewaretoken" value="([^"]+)"/);
    if (found) this.form.elements.csrfmiddlewaretoken.value = found[1];
    this.#schedule(found ? 0 : RETRY);
  }

  /** Wait for what is under way, then do what the browser would have done. */
  async #submit(event) {
    const { submitter } = event; // asked for while the event is under way
    event.preventDefault();
    if (this.#stopped && submitter?.value !== "discard") this.said.querySelector(".notice button")?.focus();
    if (this.busy || (this.#stopped && submitter?.value !== "discard")) return;
    this.busy = true;
    if (submitter?.value === "discard") this.files.drop();
    // A form that is being submitted can't be submitted anew: where nothing is to be waited for, this event isn't over yet.
    await Promise.allSettled([this.#saving, this.files.done, new Promise((resolve) => setTimeout(resolve))]);
    if (this.files.missing) {
      this.busy = false;
      this.#without(submitter);
      return;
    }
    // What can't be saved can't be sent either; the page says why, and stays.
    if (!(await this.save()) && submitter?.value !== "discard") {
      this.busy = false;
      return;
    }
    // Over the mail the panel sends it, and stays.
    if (!this.#tell("compose:submit", submitter)) return;
    this.form.removeEventListener("submit", this);
    this.form.requestSubmit(submitter);
    this.form.addEventListener("submit", this);
  }

  /** Some files could not go up: nobody sends without them unawares. */
  #without(submitter) {
    const { missing } = this.files;
    offer(this.said, `${missing} could not be uploaded yet.`, {
      "Go on without": () => {
        this.files.drop();
        this.form.requestSubmit(submitter);
      },
      "Wait for it": () => this.focusWords(),
    });
  }

  /** Show the draft as the server has it. */
  #again() {
    this.#left = false;
    if (this.#tell("compose:again")) location.reload();
  }

  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { bubbles: true, cancelable: true, detail }));
  }

  /** The formatted words as plain text; undefined where the server can't be asked. */
  async readable() {
    await this.save();
    const answer = await this.send("stay", { wants_plain: 1 }).catch(() => ({}));
    if (answer.status === 200) this.took(answer);
    return answer.plain;
  }

  /** Who asked for Cc goes on there; what was pressed is gone. */
  #more() {
    const more = this.querySelector(".more-lines");
    if (more.open) more.querySelector("input:not([type=hidden])").focus();
  }

  /** Put the cursor where one writes. */
  focusWords() {
    (this.form.elements.is_html.value === "1" ? this.rich?.editor : this.form.elements.text)?.focus();
  }

  /** Somebody else writes: with another signature. */
  async #sign(sender) {
    const before = this.sender;
    this.sender = sender;
    (await import("./signature.js")).sign(this, before.dataset, sender.dataset);
    this.changed();
  }

  /** A template, filled for whom this is for, where the cursor is. */
  async #fill(event) {
    event.preventDefault();
    this.querySelector(".options").open = false;
    const { dataset } = event.target.closest("[data-template]");
    const request = { method: "POST", body: this.data("stay"), redirect: "manual" };
    const answer = await fetch(dataset.template, request).catch(() => null);
    if (!answer?.ok) {
      this.say("The template could not be fetched just now. Try again.", "loss");
      return;
    }
    const { text, html } = await answer.json();
    if (this.form.elements.is_html.value === "1") this.rich?.insert(html);
    else {
      this.form.elements.text.focus();
      document.execCommand("insertText", false, text); // as if it was typed, so that it can be undone
    }
    this.changed();
  }

  /** Write with formatting; its module comes when it is first wanted. */
  async #format() {
    const { RichText } = await import("./rich-text.js").catch((error) => {
      this.form.classList.add("plain");
      throw error;
    });
    this.rich ??= new RichText(this);
    this.rich.open();
  }

  #key(event) {
    if (event.key === "." && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      const options = this.querySelector(".options");
      options.open = true;
      options.querySelector(".menu :is(button, a)").focus();
    }
    if (event.key !== "Enter" || event.isComposing) return;
    const isSend = event.ctrlKey || event.metaKey;
    if (!isSend && event.target.name !== "subject") return;
    event.preventDefault();
    if (isSend) this.form.querySelector("[value=send]").click();
    else this.focusWords();
  }

  /** The page goes away: what isn't saved goes along with it. */
  #leave() {
    if (!this.#dirty || this.#stopped || this.busy) return;
    this.#left = navigator.sendBeacon(this.form.action, this.data("stay"));
    this.#dirty = !this.#left;
    // Where the last save failed this one may as well.
    if (this.#left && navigator.onLine && !this.#failed) this.copy.forget();
  }
}

function differs(field) {
  return /^(?:text|textarea)$/.test(field.type) && field.value !== field.defaultValue;
}

customElements.define("compose-form", ComposeForm);
