/**
 * The files of a draft: dropped, pasted or picked, checked against the room that is left, and uploaded at once, one after
 * the other, with their progress shown. One that could not go up stays in the list and is tried again; nothing is sent
 * without it unless somebody says so. What is typed goes its own way, so that an upload brings back no older words. Without
 * scripts files go up with the form.
 */

import { offer } from "./notice.js";
import { policy } from "./policy.js";

const RETRY = 5000;
// Milliseconds after which what is on its way has come through, or hasn't.
const SETTLED = 1000;
// Milliseconds without any progress after which an upload begins anew.
const STALLED = 60_000;
const UNREADABLE = "It is a folder, or can't be read any more. Attach its files, or a zip file of it.";

export class Files {
  /** Kept once all uploads so far have ended, well or badly. */
  done = Promise.resolve();
  // Those that are not up yet.
  #waiting = new Set();

  constructor(composer) {
    this.composer = composer;
    this.list = composer.querySelector(".files");
    this.input = composer.querySelector("input[type=file]");
    this.input.addEventListener("change", this);
    this.list.addEventListener("click", this);
    window.addEventListener("online", this);
    window.addEventListener("beforeunload", this);
    const { form } = composer;
    for (const name of ["dragover", "dragleave", "drop", "paste"]) form.addEventListener(name, this);
  }

  /** Nobody writes here any more. */
  close() {
    for (const { timer, request } of this.#waiting) {
      clearTimeout(timer);
      request?.abort();
    }
    this.#waiting.clear();
    window.removeEventListener("online", this);
    window.removeEventListener("beforeunload", this);
  }

  handleEvent(event) {
    switch (event.type) {
      case "change":
        this.add([...this.input.files]);
        this.input.value = "";
        break;
      case "click":
        this.#press(event);
        break;
      case "online":
        this.#retry();
        break;
      case "beforeunload":
        if (this.#waiting.size) event.preventDefault();
        break;
      case "paste":
        if (event.clipboardData.files.length && !event.defaultPrevented) {
          event.preventDefault();
          this.add([...event.clipboardData.files]);
        }
        break;
      default:
        this.#drag(event);
    }
  }

  /** Upload these, one after the other; with `shown(id, href, name)` as pictures of the text, told of each. */
  add(files, shown) {
    for (const file of files) {
      const room = this.list.dataset.room - this.#sum;
      if (file.size > room)
        this.#refuse(file, `It has ${mega(file.size)} MB, and ${mega(room)} MB are left in this message.`);
      else {
        const upload = { file, shown, key: crypto.randomUUID(), line: line(file) };
        this.list.append(upload.line);
        this.#waiting.add(upload);
        this.#queue(upload);
      }
    }
    return this.done;
  }

  /** Say, until it was read, that a file is none of this message. */
  #refuse({ name }, why) {
    offer(this.composer.said, `${name} is not attached. ${why}`, { "All right": () => this.composer.focusWords() });
  }

  /** What is not up yet, in words; "" where all is. */
  get missing() {
    const [first, ...others] = [...this.#waiting].map(({ file }) => file.name);
    return first ? first + (others.length ? ` and ${others.length} more` : "") : "";
  }

  /** Let go of what is not up yet. */
  drop() {
    for (const upload of this.#waiting) this.#cancel(upload);
  }

  /** Where the pictures of the text are shown from, by their Content-ID. */
  get pictures() {
    return new Map([...this.list.querySelectorAll("[data-cid]")].map(({ dataset }) => [dataset.cid, dataset.href]));
  }

  /** Show the list as the server drew it. */
  show(html, room) {
    this.list.dataset.room = room;
    const parsed = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
    const waiting = this.list.querySelectorAll(".waiting");
    const focused = this.list.contains(document.activeElement) && document.activeElement;
    this.list.replaceChildren(...parsed.querySelectorAll("li"), ...waiting);
    if (!focused || focused.isConnected) return;
    // The keyboard stays where it was, or close by.
    const buttons = [...this.list.querySelectorAll("button")];
    (buttons.find(({ value }) => value === focused.value) ?? buttons[0] ?? this.input).focus();
  }

  get #sum() {
    return [...this.#waiting].reduce((sum, { file }) => sum + file.size, 0);
  }

  #drag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.composer.form.classList.toggle("dragged", event.type === "dragover");
    if (event.type !== "drop") return;
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const files = items.map((item) => [item.getAsFile(), item.webkitGetAsEntry?.()]);
    for (const [, entry] of files) if (entry?.isDirectory) this.#refuse(entry, UNREADABLE);
    this.add(files.filter(([, entry]) => !entry?.isDirectory).map(([file]) => file));
  }

  async #press(event) {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    const upload = [...this.#waiting].find((each) => each.line.contains(button));
    if (upload && button.value === "again") this.#queue(upload);
    else if (upload) this.#cancel(upload);
    else if (!(await this.#ask(button.value)))
      this.composer.say("The file could not be taken off just now. Try again.", "loss");
  }

  #retry() {
    for (const upload of this.#waiting) if (upload.failed) this.#queue(upload);
  }

  #queue(upload) {
    clearTimeout(upload.timer);
    upload.failed = false;
    upload.line.classList.remove("failed");
    this.done = this.done.then(() => this.#upload(upload));
  }

  #cancel(upload) {
    this.#waiting.delete(upload);
    clearTimeout(upload.timer);
    if (upload.request) {
      upload.request.abort();
      this.done = this.done.then(() => this.#takeBack(upload.key));
    }
    const next = upload.line.nextSibling ?? upload.line.previousSibling;
    if (upload.line.contains(document.activeElement)) (next?.querySelector("button") ?? this.input).focus();
    upload.line.remove();
  }

  /** What was let go of may have come through all the same: then it is taken off. */
  async #takeBack(key) {
    await new Promise((resolve) => setTimeout(resolve, SETTLED));
    await this.#ask(`detach ${key}`);
  }

  /** Do something with the draft; return whether that went well. */
  async #ask(act) {
    await this.composer.save();
    const answer = await this.composer.send(act).catch(() => ({}));
    if (answer.files !== undefined) this.composer.took(answer);
    return answer.files !== undefined;
  }

  async #upload(upload) {
    const { file, shown, line } = upload;
    const isDraft = this.#waiting.has(upload) && (await this.composer.begun());
    if (!this.#waiting.has(upload)) return;
    const { status, answer } = isDraft ? await this.#post(upload) : { status: 0, answer: {} };
    if (!this.#waiting.has(upload)) return;
    if (answer.files === undefined && (await this.#failed(upload, status))) return;
    this.#waiting.delete(upload);
    line.remove();
    const before = this.pictures;
    if (answer.files !== undefined) this.composer.took(answer);
    for (const [id, href] of this.pictures) if (!before.has(id)) shown?.(id, href, file.name);
    if (answer.sentence) this.#refuse(file, answer.sentence);
  }

  /** The file alone: what is typed meanwhile is saved meanwhile. */
  #post(upload) {
    const { form } = this.composer;
    const data = new FormData();
    for (const name of ["csrfmiddlewaretoken", "form_key", "send_key"]) data.set(name, form.elements[name].value);
    data.set("act", "attach");
    data.set("file_key", upload.key);
    if (upload.shown) data.set("shown", "1");
    data.set("files", upload.file);
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    const progress = upload.line.querySelector("progress");
    // A connection that says nothing any more is none.
    const wait = () => setTimeout(() => request.abort(), STALLED);
    let stalled = wait();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      progress.value = loaded / total;
      clearTimeout(stalled);
      stalled = wait();
    });
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        clearTimeout(stalled);
        resolve({ status: request.status, answer: request.response ?? {} });
      });
      request.send(data);
    });
  }

  /** One didn't come through; return whether it is tried again. */
  async #failed(upload, status) {
    const { file, line } = upload;
    // A folder, or what was deleted or changed since it was chosen.
    const isReadable = await file
      .slice(0, 1)
      .arrayBuffer()
      .catch(() => null);
    if (!isReadable || status === 400 || status === 413) {
      this.#refuse(file, isReadable ? "The server does not take it." : UNREADABLE);
      return false;
    }
    // No connection, signed out for the moment, a server that is away: it comes right by itself.
    upload.failed = true;
    line.classList.add("failed");
    line.querySelector("progress").value = 0;
    upload.timer = setTimeout(() => this.#queue(upload), RETRY);
    this.composer.say(`${file.name} is not uploaded yet. It is tried again until there is a connection.`, "loss");
    return true;
  }
}

/** A file on its way up. */
function line(file) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  const progress = document.createElement("progress");
  line.className = "waiting";
  name.className = "file-name";
  name.append(Object.assign(document.createElement("span"), { textContent: file.name }));
  progress.value = 0;
  progress.ariaLabel = `Uploading ${file.name}`;
  line.append(name, progress, button("again", "Try again", `Try again to upload ${file.name}`));
  line.append(button("cancel", "×", `Don't upload ${file.name}`));
  return line;
}

function button(value, words, label) {
  const button = Object.assign(document.createElement("button"), { type: "button", value, textContent: words });
  button.className = value === "cancel" ? "icon-button" : "button quiet";
  button.ariaLabel = label;
  return button;
}

function mega(octets) {
  return (Math.max(0, octets) / 1_000_000).toFixed(1);
}
