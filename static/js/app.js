/** What every page runs: the theme's switch and the toasts. */

import "./theme-switch.js";
import "./toast-stack.js";
