/**
 * The list below a field of recipients: whom the letters typed so far may mean. The arrow keys choose, Enter, Tab or a press
 * takes. Its field (`people-fields.js`) is a combobox and is told with `take(text)`.
 */

const PAUSE = 120;
let count = 0;

export class Completion {
  #timer = 0;
  #asked = 0;

  constructor(field, entry) {
    this.field = field;
    this.entry = entry;
    this.list = document.createElement("ul");
    this.list.id = `people-${++count}`;
    this.list.className = "suggested";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.ariaLabel = "People";
    entry.setAttribute("role", "combobox");
    entry.setAttribute("aria-controls", this.list.id);
    entry.ariaExpanded = "false";
    entry.ariaAutoComplete = "list";
    field.line.append(this.list);
    // Before the field loses the focus.
    this.list.addEventListener("pointerdown", this);
  }

  handleEvent(event) {
    const pressed = event.target.closest("[role=option]");
    if (!pressed) return;
    event.preventDefault();
    this.#take(pressed);
  }

  /** Something was typed. */
  look() {
    clearTimeout(this.#timer);
    const typed = this.entry.value.trim();
    if (typed) this.#timer = setTimeout(() => this.#ask(typed), PAUSE);
    else this.close();
  }

  /** Return whether the list is open and the key was for it. */
  press(event) {
    if (this.list.hidden || event.isComposing) return false;
    const chosen = this.list.querySelector("[aria-selected=true]");
    if (event.key === "ArrowDown") this.#choose(chosen.nextSibling ?? this.list.firstChild);
    else if (event.key === "ArrowUp") this.#choose(chosen.previousSibling ?? this.list.lastChild);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" || event.key === "Tab") this.#take(chosen);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked++;
    this.list.hidden = true;
    this.list.replaceChildren();
    this.entry.ariaExpanded = "false";
    this.entry.removeAttribute("aria-activedescendant");
  }

  async #ask(typed) {
    const number = ++this.#asked;
    const answer = await fetch(`/people/complete/?${new URLSearchParams({ q: typed })}`, { redirect: "manual" }).catch(
      () => null,
    );
    if (!answer?.ok || number !== this.#asked || document.activeElement !== this.entry) return;
    const { people } = await answer.json();
    if (number !== this.#asked) return;
    this.close();
    const found = people.filter(({ text }) => text !== typed);
    if (!found.length) return;
    this.list.replaceChildren(...found.map((person, place) => option(person, `${this.list.id}-${place}`)));
    this.list.hidden = false;
    this.entry.ariaExpanded = "true";
    this.#choose(this.list.firstChild);
    this.field.say(found.length === 1 ? "1 suggestion" : `${found.length} suggestions`);
  }

  #choose(option) {
    for (const each of this.list.children) each.ariaSelected = String(each === option);
    this.entry.setAttribute("aria-activedescendant", option.id);
  }

  #take(option) {
    this.close();
    this.field.take(option.dataset.text);
  }
}

function option({ text, label, detail }, id) {
  const line = document.createElement("li");
  line.id = id;
  line.dataset.text = text;
  line.setAttribute("role", "option");
  for (const words of [label, detail]) {
    const span = document.createElement("span");
    span.textContent = words;
    line.append(span);
  }
  return line;
}
