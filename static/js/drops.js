/** Menus made of `<details class="drop">` close like menus: with Escape, and with a click anywhere else. */

document.addEventListener("click", (event) => close((drop) => !drop.contains(event.target)));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement.closest("details.drop[open]")?.querySelector("summary").focus();
  close(() => true);
});

function close(isWanted) {
  for (const drop of document.querySelectorAll("details.drop[open]")) if (isWanted(drop)) drop.open = false;
}
