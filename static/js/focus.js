/** Where the focus goes when what had it is gone: never to the page as such, from where nobody finds back. */

const PLACES = [".row:not([hidden]) > a[tabindex='0']", ".message-scroll", "#list-title"];

let open = document.querySelector("message-view")?.dataset.pk;

/** What had the focus is gone or hidden: the row that takes Tab gets it, else what there is. */
export function keepFocus() {
  const at = document.activeElement;
  if (at !== document.body && at.checkVisibility()) return;
  const place = PLACES.map((each) => document.querySelector(each)).find((each) => each?.checkVisibility());
  place?.focus({ preventScroll: true });
}

document.addEventListener("message:open", ({ detail }) => {
  open = detail.pk;
});

// Who comes back from a message goes on at its row, once the list's title has had its turn.
document.addEventListener("message:closed", () => queueMicrotask(() => goBack(30)));

/** On a phone the list is there some frames later. */
function goBack(frames) {
  const row = document.querySelector(`#m${open}`);
  if (row?.checkVisibility()) row.focus();
  else if (row && frames) requestAnimationFrame(() => goBack(frames - 1));
}

// The button that was pressed goes with its words.
document.addEventListener("click", ({ target }) => {
  if (!target.isConnected) keepFocus();
});
