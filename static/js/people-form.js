/** Fields of recipients in plain forms, as chips: whom a message is sent on to, who is in a group. */

import { PeopleField } from "./people-fields.js";

for (const place of document.querySelectorAll("form.form [data-people]")) {
  const entry = place.matches("input") ? place : lineFor(place);
  const field = new PeopleField({ form: entry.form, changed() {} }, entry);
  if (field.truth.value) field.read();
}

/** A field of one line in the place of one of several. */
function lineFor(area) {
  const entry = document.createElement("input");
  for (const { name, value } of area.attributes) if (!/^(?:rows|cols)$/.test(name)) entry.setAttribute(name, value);
  entry.setAttribute("value", area.value.replace(/\n+/g, ", "));
  entry.autocomplete = "off";
  area.replaceWith(entry);
  return entry;
}
