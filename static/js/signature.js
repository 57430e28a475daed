/**
 * Another "From", another signature: it takes the other's place where that still stands as it was put, and comes to the foot
 * of one's own words where there was none. What somebody changed stays.
 */

/** `before` and `after` hold the signatures of the two senders: `text` and `html`; and the `footer` below them. */
export function sign(composer, before, after) {
  const house = composer.form.querySelector(".house");
  if (house) {
    house.hidden = !after.footer;
    house.querySelector("pre").textContent = after.footer;
  }
  if (composer.form.elements.is_html.value === "1") composer.rich?.sign(before.html, after.html);
  else signPlain(composer.form.elements.text, before.text, after.text);
}

function signPlain(area, before, after) {
  if (!before && !after) return;
  const text = area.value;
  const found = before ? place(text, before) : foot(text, after);
  if (!found) return;
  const [start, end, words] = found;
  area.setRangeText(words ?? after, start, end, "preserve");
  // Without a signature its line has nothing to part.
  if (!after) area.value = area.value.replace(/\n+-- \n+$/, "");
}

/** Where whole lines are those of `signature`: behind the line that begins one, else the last ones. */
function place(text, signature) {
  const lines = `\n${text}\n`;
  const wanted = `\n${signature}\n`;
  const marked = lines.lastIndexOf(`\n-- ${wanted}`);
  const start = marked < 0 ? lines.lastIndexOf(wanted) : marked + 4;
  return start < 0 ? null : [start, start + signature.length];
}

/** Above the quote with its introduction; else at the end, below the line that begins a signature (RFC 3676 §4.3). */
function foot(text, signature) {
  const quote = text.search(/^(?:[^>\n][^\n]*\n>|-{5,} ?Forwarded message)/m);
  if (quote >= 0) return [quote, quote, `${signature}\n\n`];
  return [text.length, text.length, `\n\n-- \n${signature}`];
}
