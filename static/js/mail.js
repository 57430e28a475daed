/** What the pages with mail run, on top of what every page does. */

import "./app.js";
import "./fragments.js";
import "./key-map.js";
import "./mail-panes.js";
import "./message-list.js";
import "./time-ago.js";

// A link with `data-help` goes to a page of its own; here it is a dialog, whose module comes when it is first wanted.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-help]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  (await import("./help-sheet.js")).show(link);
});
