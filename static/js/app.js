/** What every page runs: menus that close, the theme's switch and the toasts. */

import "./drops.js";
import "./theme-switch.js";
import "./toast-stack.js";

// Where something was just sent.
if (document.querySelector("undo-toast")) import("./undo-toast.js");
