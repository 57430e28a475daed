/**
 * A second net under a draft: what is typed lies in this browser until the server has it. IndexedDB has it at once, should
 * the browser be killed; localStorage is written seconds later. A copy is its writer's alone; signing out clears them
 * (Clear-Site-Data). It is offered when its page is opened again, unless it is still open elsewhere, and brings the key of
 * its form along: it becomes the draft that it was.
 */

import { offer } from "./notice.js";

const FIELDS = ["to", "cc", "bcc", "reply_to", "subject", "text", "html", "is_html"];
const EVERY = 300;
const STORE = "drafts";
let opening;

export class DraftCopy {
  #timer = 0;
  #release = () => {};

  constructor(composer) {
    this.composer = composer;
    navigator.locks?.request(`draft ${this.#key}`, () => new Promise((release) => (this.#release = release)));
  }

  get #fields() {
    return this.composer.form.elements;
  }

  get #place() {
    return `${this.composer.dataset.owner} ${new URL(this.composer.form.action).pathname}`;
  }

  /** New messages have one address, and a key each. */
  get #key() {
    return this.#place.endsWith("/write/") ? `${this.#place} ${this.#fields.form_key.value}` : this.#place;
  }

  /** Keep what is typed, soon. */
  keep() {
    this.#timer ||= setTimeout(() => this.keepNow(), EVERY);
  }

  keepNow() {
    this.#timer = 0;
    const words = { at: Date.now(), form_key: this.#fields.form_key.value };
    for (const name of FIELDS) words[name] = this.#fields[name]?.value ?? "";
    return stored("readwrite", (store) => store.put(words, this.#key));
  }

  /** The server has it. */
  forget() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const key = this.#key;
    return stored("readwrite", (store) => store.delete(key));
  }

  /** Nobody writes here any more. */
  close() {
    this.#release();
  }

  /** What was lost here, if it is not what stands in the form. */
  async offer() {
    const range = IDBKeyRange.bound(this.#place, `${this.#place} \uffff`);
    const keys = (await stored("readonly", (store) => store.getAllKeys(range))) ?? [];
    const found = (await stored("readonly", (store) => store.getAll(range))) ?? [];
    const held = new Set((await navigator.locks?.query())?.held.map(({ name }) => name));
    held.delete(`draft ${this.#key}`);
    const kept = keys
      .map((key, at) => ({ key, words: found[at] }))
      .filter(({ key, words }) => words && !held.has(`draft ${key}`))
      .sort((one, other) => other.words.at - one.words.at)[0];
    if (!kept) return;
    const { key, words } = kept;
    const forget = () => stored("readwrite", (store) => store.delete(key));
    if (!FIELDS.some((name) => this.#fields[name] && (words[name] ?? "") !== this.#fields[name].value)) {
      forget();
      return;
    }
    offer(this.composer.said, "This browser has words of this draft that were not saved.", {
      "Bring them back": () => {
        const names = this.#place.endsWith("/write/") ? [...FIELDS, "form_key"] : FIELDS;
        for (const name of names) if (this.#fields[name] && name in words) this.#fields[name].value = words[name];
        this.composer.dispatchEvent(new CustomEvent("compose:filled"));
        this.composer.changed();
      },
      "Throw them away": forget,
    });
  }
}

/** Do something in the store; undefined where the browser is full, or keeps nothing. */
async function stored(mode, act) {
  try {
    opening ??= opened();
    const request = act((await opening).transaction(STORE, mode).objectStore(STORE));
    return await settled(request);
  } catch {
    // The server's copy is the first net. What was cleared at a sign-out is opened anew.
    opening = undefined;
  }
}

function opened() {
  const request = indexedDB.open("webmail", 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
  return settled(request);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
