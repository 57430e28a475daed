/** What a control opens over the mail instead of going to its page: the sheet of keys, or the editor. */

const NARROW = "(max-width: 719.98px)";

export async function show(control) {
  if (control.matches("[data-help]")) (await import("./help-sheet.js")).show(control);
  else if (!matchMedia(NARROW).matches) (await import("./write-panel.js")).open(control);
  // On a phone the editor is a page.
  else if (control.href) location.assign(control.href);
  else control.form.requestSubmit(control);
}
