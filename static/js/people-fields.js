/**
 * Completion in the fields of recipients: the letters since the last comma are looked up, the arrow keys choose, Enter, Tab
 * or a press takes. The field stays a field of text: what is typed or pasted into it is never changed or lost.
 */

const PAUSE = 120;
let count = 0;

export class PeopleFields {
  #timer = 0;
  #asked = 0;
  #field = null;

  constructor(composer) {
    this.composer = composer;
    for (const field of composer.querySelectorAll("[data-people]")) this.#prepare(field);
  }

  handleEvent(event) {
    if (event.type === "input") this.#look(event.target);
    else if (event.type === "keydown") this.#key(event);
    else if (event.type === "blur") this.#close();
    else this.#pointed(event);
  }

  #prepare(field) {
    const list = document.createElement("ul");
    list.id = `people-${++count}`;
    list.className = "suggested";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.ariaLabel = "People";
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-controls", list.id);
    field.ariaExpanded = "false";
    field.ariaAutoComplete = "list";
    field.after(list);
    for (const name of ["input", "keydown", "blur"]) field.addEventListener(name, this);
    // Before the field loses the focus.
    list.addEventListener("pointerdown", this);
  }

  #look(field) {
    clearTimeout(this.#timer);
    const typed = piece(field).trim();
    if (typed.length < 1) this.#close();
    else this.#timer = setTimeout(() => this.#ask(field, typed), PAUSE);
  }

  async #ask(field, typed) {
    const number = ++this.#asked;
    const answer = await fetch(`/people/complete/?${new URLSearchParams({ q: typed })}`, { redirect: "manual" }).catch(
      () => null,
    );
    if (!answer?.ok || number !== this.#asked || document.activeElement !== field) return;
    const { people } = await answer.json();
    this.#show(
      field,
      people.filter(({ text }) => text !== typed),
    );
  }

  #show(field, people) {
    this.#close();
    if (!people.length) return;
    this.#field = field;
    const list = listOf(field);
    list.replaceChildren(...people.map((person, place) => option(person, `${list.id}-${place}`)));
    list.hidden = false;
    field.ariaExpanded = "true";
    this.#choose(list.firstChild);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked++;
    if (!this.#field) return;
    const list = listOf(this.#field);
    list.hidden = true;
    list.replaceChildren();
    this.#field.ariaExpanded = "false";
    this.#field.removeAttribute("aria-activedescendant");
    this.#field = null;
  }

  #key(event) {
    if (!this.#field || event.isComposing) return;
    const list = listOf(this.#field);
    const chosen = list.querySelector("[aria-selected=true]");
    if (event.key === "ArrowDown") this.#choose(chosen.nextSibling ?? list.firstChild);
    else if (event.key === "ArrowUp") this.#choose(chosen.previousSibling ?? list.lastChild);
    else if (event.key === "Escape") this.#close();
    else if (event.key === "Enter" || event.key === "Tab") this.#take(chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #pointed(event) {
    const pressed = event.target.closest("[role=option]");
    if (!pressed) return;
    event.preventDefault();
    this.#take(pressed);
  }

  #choose(option) {
    for (const each of option.parentElement.children) each.ariaSelected = String(each === option);
    this.#field.setAttribute("aria-activedescendant", option.id);
  }

  #take(option) {
    const field = this.#field;
    const typed = piece(field);
    const before = field.value.slice(0, field.value.length - typed.length);
    field.value = `${before}${before && !before.endsWith(" ") ? " " : ""}${option.dataset.text}, `;
    this.#close();
    field.scrollLeft = field.scrollWidth;
    this.composer.changed();
  }
}

/** What stands in the field after its last comma that is not inside quotes. */
function piece(field) {
  return field.value.match(/(?:[^,;"]|"[^"]*("|$))*$/)[0];
}

function listOf(field) {
  return field.parentElement.querySelector(".suggested");
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
