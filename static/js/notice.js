/** A notice with a sentence and buttons, each of which takes it away. */

/** Put it into `place`; `choices` are the buttons' words and what each does. */
export function offer(place, sentence, choices) {
  const notice = document.createElement("div");
  const words = document.createElement("p");
  const row = document.createElement("p");
  notice.className = "notice";
  notice.dataset.kind = "wait";
  notice.setAttribute("role", "alert");
  words.textContent = sentence;
  row.className = "button-row";
  for (const [label, act] of Object.entries(choices)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      notice.remove();
      act();
    });
    row.append(button);
  }
  notice.append(words, row);
  place.append(notice);
}
