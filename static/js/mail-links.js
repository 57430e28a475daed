/** The button with `data-mailto`: asks the browser to open `mailto:` links of other pages here. */

const button = document.querySelector("[data-mailto]");
if (button && "registerProtocolHandler" in navigator) {
  button.hidden = false;
  button.addEventListener("click", () =>
    navigator.registerProtocolHandler("mailto", `${location.origin}/write/?mailto=%s`),
  );
}
