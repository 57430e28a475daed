/** The page's theme, put on at once: hundreds of colours that fade over one by one are no change but a flicker. */

export function wear(theme) {
  const root = document.documentElement;
  root.dataset.changing = "";
  root.dataset.theme = theme;
  requestAnimationFrame(() => requestAnimationFrame(() => delete root.dataset.changing));
}
