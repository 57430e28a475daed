/** All that acting on mail needs: what is selected, the acts, and the ways to them by mouse and finger. */

import "./acts.js";
import "./drag.js";
import "./row-acts.js";
import "./row-menu.js";
import "./swipe.js";
