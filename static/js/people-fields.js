/**
 * A field of recipients as chips. What is sent is a field of text all the same (`truth`): the chips' texts with commas between,
 * and what is being typed behind them, so that half an address is neither lost nor changed. Where a chip begins and ends is
 * seen here; whether it is an address the server says, in a sentence.
 *
 * Comma, Enter, Tab or leaving the field makes a chip; Backspace goes to the last one and takes it away, as Delete does;
 * Enter on a chip or a press on its name edits it, the arrow keys go from chip to chip.
 */

import { Completion } from "./people-completion.js";

export class PeopleField {
  #place = null;

  constructor(composer, entry) {
    this.composer = composer;
    this.entry = entry;
    this.line = entry.closest(".line, .field");
    this.label = this.line.querySelector("label").textContent;
    const read = JSON.parse(entry.dataset.people || "[]");
    const typed = entry.value !== entry.defaultValue;
    this.truth = Object.assign(document.createElement("input"), { type: "hidden", name: entry.name });
    this.truth.value = entry.value;
    this.list = document.createElement("ul");
    this.list.setAttribute("role", "list");
    this.list.ariaLabel = `${this.label}, people`;
    const box = document.createElement("div");
    box.className = "chips";
    this.error = this.line.querySelector(".error") ?? document.createElement("p");
    this.error.className = "error";
    this.error.id = `${entry.id}-error`;
    this.heard = Object.assign(document.createElement("span"), { className: "heard", role: "status" });
    // Whoever is at it goes on typing where they are.
    const isBusy = document.activeElement === entry;
    entry.replaceWith(box);
    entry.removeAttribute("name");
    entry.defaultValue = "";
    box.append(this.truth, this.list, entry, this.heard);
    box.after(this.error);
    this.completion = new Completion(this, entry);
    for (const name of ["input", "keydown", "paste", "blur"]) entry.addEventListener(name, this);
    for (const name of ["click", "keydown"]) box.addEventListener(name, this);
    if (typed && !isBusy) this.read();
    if (!typed) {
      entry.value = "";
      this.list.append(...read.map((each) => this.#chip(each)));
      this.#faults(true);
    }
    if (isBusy) entry.focus();
  }

  handleEvent(event) {
    const { type, target } = event;
    if (type === "input") this.#typed();
    else if (type === "blur") this.#leave();
    else if (type === "paste") this.#paste(event);
    else if (type === "click") this.#click(target);
    else if (target === this.entry) event.currentTarget === this.entry && this.#key(event);
    else if (target.closest("li")) this.#chipKey(event, target.closest("li"));
  }

  /** Make chips of what stands in the field as text. */
  read() {
    const text = this.truth.value;
    this.list.replaceChildren();
    this.entry.value = "";
    this.#add(pieces(text), false);
  }

  /** Make chips of `text`, which was chosen. */
  take(text) {
    this.entry.value = "";
    this.#add(pieces(text));
  }

  #typed() {
    // The blank behind a comma is no beginning.
    if (!this.entry.value.trim()) this.entry.value = "";
    const text = this.entry.value;
    const found = pieces(text);
    // A comma outside of quotes ends a name, a blank an address; after a name its address may follow.
    const isDone = pieces(`${text}x`).length > found.length || (found.length === 1 && /^\S+@\S+\.\S+\s$/.test(text));
    const rest = isDone ? "" : (found.pop() ?? "");
    if (found.length) {
      this.entry.value = rest.trimStart();
      this.#add(found);
    } else this.#changed();
    this.completion.look();
  }

  #key(event) {
    if (event.isComposing || this.completion.press(event)) return;
    const { key } = event;
    const isAtStart = !this.entry.selectionEnd;
    if ((key === "Enter" || key === "Tab") && this.entry.value.trim()) {
      if (key === "Enter") event.preventDefault();
      this.#leave();
    } else if ((key === "Backspace" || key === "ArrowLeft") && isAtStart && this.list.lastChild) {
      event.preventDefault();
      this.#focus(this.list.lastChild);
    } else if (key === "Enter" && !event.ctrlKey && !event.metaKey) event.preventDefault();
  }

  #chipKey(event, chip) {
    const { key } = event;
    if (key === "Backspace" || key === "Delete") this.#remove(chip);
    else if (key === "ArrowLeft") this.#focus(chip.previousSibling ?? chip);
    else if (key === "ArrowRight") this.#focus(chip.nextSibling);
    else if (key === "Enter" && event.target.matches(".chip-name") && !event.ctrlKey) this.#edit(chip);
    else if (key === "Escape") this.entry.focus();
    else if (key.length === 1 && key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.entry.focus(); // and the letter goes there
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #click(target) {
    const chip = target.closest("li");
    if (!chip) this.entry.focus();
    else if (target.closest(".chip-off")) this.#remove(chip);
    else this.#edit(chip);
  }

  #paste(event) {
    const text = event.clipboardData.getData("text/plain");
    if (!/[,;\t\n]|@.*\s\S+@/.test(text)) return;
    event.preventDefault();
    const around = this.entry.value;
    const { selectionStart, selectionEnd } = this.entry;
    this.entry.value = "";
    this.#add(pieces(around.slice(0, selectionStart) + text + around.slice(selectionEnd)));
  }

  #leave() {
    this.completion.close();
    const text = this.entry.value;
    this.entry.value = "";
    if (text.trim()) this.#add(pieces(text));
    this.#place = null;
  }

  /** The chip's text goes into the field again, and comes back to its place. */
  #edit(chip) {
    this.#leave();
    this.#place = chip.nextSibling;
    this.entry.value = chip.dataset.text;
    chip.remove();
    this.#faults();
    this.entry.focus();
    this.entry.select();
  }

  #remove(chip) {
    const next = chip.nextSibling ?? chip.previousSibling;
    chip.remove();
    this.#changed();
    this.#faults();
    this.say(`${chip.dataset.label} removed`);
    this.#focus(next);
  }

  #focus(chip) {
    (chip?.querySelector("button") ?? this.entry).focus();
  }

  #add(texts, isNew = true) {
    const chips = texts.map((text) => this.#chip({ text, label: text, detail: "", sentence: "" }));
    const place = this.#place?.isConnected ? this.#place : null;
    this.#place = null;
    for (const chip of chips) this.list.insertBefore(chip, place);
    if (isNew) this.#changed();
    if (chips.length) this.#judge(chips, isNew);
  }

  /** Ask the server what these are. Where it can't be asked they stay as they were typed. */
  async #judge(chips, isNew) {
    const data = new FormData();
    data.set("csrfmiddlewaretoken", this.composer.form.elements.csrfmiddlewaretoken.value);
    for (const chip of chips) data.append("piece", chip.dataset.text);
    const answer = await fetch("/people/read/", { method: "POST", body: data, redirect: "manual" }).catch(() => null);
    const read = answer?.ok ? (await answer.json()).read : [];
    const added = [];
    for (const [place, found] of read.entries()) {
      if (!chips[place].isConnected) continue;
      const hadFocus = chips[place].contains(document.activeElement);
      const better = found.filter((each) => !this.#has(each, chips[place])).map((each) => this.#chip(each));
      chips[place].replaceWith(...better);
      if (hadFocus) this.#focus(better[0]);
      added.push(...better);
    }
    if (!added.length) return;
    if (isNew) this.#changed();
    this.#faults();
    const wrong = added.filter((chip) => chip.title && chip.classList.contains("wrong"));
    if (!isNew) return;
    if (wrong.length) this.say([...new Set(wrong.map((chip) => chip.title))].join(" "));
    else this.say(added.length > 3 ? `${added.length} people added` : `${added.map(labelOf).join(", ")} added`);
  }

  /** Whether somebody is in the field already. */
  #has({ detail, sentence }, but) {
    const key = detail.toLowerCase();
    const has = [...this.list.children].some(
      (chip) => chip !== but && key && chip.dataset.detail.toLowerCase() === key,
    );
    return has && !sentence;
  }

  /** One chip. `detail` is the address, `sentence` why it is none. */
  #chip({ text, label, detail, sentence }) {
    const chip = document.createElement("li");
    Object.assign(chip.dataset, { text, label, detail });
    chip.className = sentence ? "chip wrong" : "chip";
    chip.title = sentence || (detail === label ? "" : detail);
    const name = Object.assign(document.createElement("button"), {
      type: "button",
      className: "chip-name",
      tabIndex: -1,
    });
    name.textContent = label;
    name.ariaDescription = sentence || detail;
    const off = Object.assign(document.createElement("button"), {
      type: "button",
      className: "chip-off",
      tabIndex: -1,
    });
    off.ariaLabel = `Remove ${label}`;
    off.textContent = "×";
    chip.append(name, off);
    return chip;
  }

  #changed() {
    const texts = [...this.list.children].map((chip) => chip.dataset.text);
    if (this.entry.value.trim()) texts.push(this.entry.value);
    this.truth.value = texts.join(", ");
    this.composer.changed();
  }

  /** The sentences of what can't be written to, below the field; what the page came with stays until something is known. */
  #faults(isFirst = false) {
    const wrong = [...new Set([...this.list.querySelectorAll(".wrong")].map((chip) => chip.title))];
    if (!isFirst || wrong.length) this.error.textContent = wrong.slice(0, 3).join(" ");
    const isWrong = this.error.textContent !== "";
    this.error.hidden = !isWrong;
    this.line.classList.toggle("wrong", isWrong);
    this.entry.ariaInvalid = String(isWrong);
    if (isWrong) this.entry.setAttribute("aria-describedby", this.error.id);
    else this.entry.removeAttribute("aria-describedby");
  }

  /** Let a screen reader say something. */
  say(words) {
    this.heard.textContent = words;
  }
}

const NAME_FIRST =
  /(^|[;\n]|>,|@[^\s,;<>]+,)\s*([^;,@<>"\n]+),\s*([^;,@<>"\n]+?)\s*(<[^<>;\s]+@[^<>;\s]+>)\s*(?=[;,\n]|$)/g;
// A line of a spreadsheet: a name in one cell, its address in another.
const CELLS = /^[^\n\t]*\t[^\n]*$/gm;
const labelOf = (chip) => chip.dataset.label;

/** The recipients in a text: what commas, semicolons and lines divide, outside of quotes, brackets and groups. */
export function pieces(typed) {
  // Outlook writes "Novak, Bob <bob@…>" without quotes; "Novak" alone would be nobody.
  const text = typed.replace(/\r\n?/g, "\n").replace(CELLS, person).replace(NAME_FIRST, '$1 "$2, $3" $4');
  const found = [""];
  let inside = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    const ends = /[,;\r\n\t]/.test(char);
    if (char === "\\" && inside === '"') found.push(found.pop() + char + (text[++at] ?? ""));
    else if (ends && !inside) found.push("");
    else {
      found.push(found.pop() + char);
      if (inside === ";" && char === ";") found.push("");
      if (inside) inside = char === inside ? "" : inside;
      else if (char === '"' || char === "<" || char === "(") inside = { '"': '"', "<": ">", "(": ")" }[char];
      else if (char === ":" && !/@|^\s*mailto:$/i.test(found.at(-1))) inside = ";";
    }
  }
  // Blanks alone between several addresses.
  return found
    .flatMap((piece) =>
      /["(;]/.test(piece) || piece.split("@").length < 3
        ? [piece]
        : piece.replace(/(\S@[^\s<>]+|<[^<>\s]*>)\s+(?=\S)/g, "$1\n").split("\n"),
    )
    .map((piece) => piece.trim())
    .filter(Boolean);
}

function person(line) {
  const cells = line.split("\t").map((cell) => cell.trim());
  const [address, ...more] = cells.filter((cell) => cell.includes("@"));
  if (!address || more.length || /[\s<"]/.test(address)) return line;
  const name = cells.filter((cell) => cell && cell !== address).join(" ");
  return name ? `"${name.replace(/["\\]/g, "\\$&")}" <${address}>` : address;
}
