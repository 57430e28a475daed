/** What every page runs: menus that close, the theme's switch and the toasts. */

import "./drops.js";
import "./theme-switch.js";
import "./toast-stack.js";

// Where something was just sent.
if (document.querySelector("undo-toast")) import("./undo-toast.js");

// On a narrow screen the links of the settings lie in a row, and the current one may be out of sight.
document.querySelector(".settings-nav > [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
