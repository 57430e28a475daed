/**
 * The files of a draft: dropped, pasted or picked, checked against the room that is left, and uploaded at once with their
 * progress shown. Without scripts they go up with the form.
 */

import { policy } from "./policy.js";

export class Files {
  /** Kept once all uploads so far have ended. */
  done = Promise.resolve();

  constructor(composer) {
    this.composer = composer;
    this.list = composer.querySelector(".files");
    this.input = composer.querySelector("input[type=file]");
    this.input.addEventListener("change", this);
    this.list.addEventListener("click", this);
    const { form } = composer;
    for (const name of ["dragover", "dragleave", "drop", "paste"]) form.addEventListener(name, this);
  }

  handleEvent(event) {
    switch (event.type) {
      case "change":
        this.add([...this.input.files]);
        this.input.value = "";
        break;
      case "click":
        this.#detach(event);
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
    for (const file of files) this.done = this.done.then(() => this.#upload(file, shown));
    return this.done;
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
    this.list.replaceChildren(...parsed.querySelectorAll("li"), ...waiting);
  }

  #drag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.composer.form.classList.toggle("dragged", event.type === "dragover");
    if (event.type === "drop") this.add([...event.dataTransfer.files]);
  }

  async #detach(event) {
    const button = event.target.closest("[value^=detach]");
    if (!button) return;
    event.preventDefault();
    await this.composer.save();
    const answer = await this.composer.send(button.value).catch(() => ({}));
    if (answer.files !== undefined) this.composer.took(answer);
    else this.composer.say("The file could not be taken off just now. Try again.", "loss");
  }

  async #upload(file, shown) {
    if (file.size > Number(this.list.dataset.room)) {
      this.composer.say(
        `${file.name} is too large: ${mega(this.list.dataset.room)} MB are left in this message.`,
        "loss",
      );
      return;
    }
    const line = this.#line(file);
    await this.composer.save();
    const answer = await new Promise((resolve) => {
      const data = this.composer.data("stay");
      data.append("files", file);
      if (shown) data.set("shown", "1");
      const request = new XMLHttpRequest();
      request.open("POST", this.composer.form.action);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        line.querySelector("progress").value = loaded / total;
      });
      request.addEventListener("loadend", () => resolve(request.response ?? {}));
      request.send(data);
    });
    line.remove();
    const before = this.pictures;
    if (answer.files !== undefined) this.composer.took(answer);
    for (const [id, href] of this.pictures) if (!before.has(id)) shown?.(id, href, file.name);
    if (answer.sentence || answer.files === undefined)
      this.composer.say(answer.sentence ?? `${file.name} could not be uploaded. Try again.`, "loss");
  }

  #line(file) {
    const line = document.createElement("li");
    const name = document.createElement("span");
    const progress = document.createElement("progress");
    line.className = "waiting";
    name.className = "file-name";
    name.textContent = file.name;
    progress.value = 0;
    progress.ariaLabel = `Uploading ${file.name}`;
    line.append(name, progress);
    this.list.append(line);
    return line;
  }
}

function mega(octets) {
  return (Number(octets) / 1_000_000).toFixed(1);
}
