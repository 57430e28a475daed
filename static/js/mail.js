/** What the pages with mail run, on top of what every page does. */

import "./app.js";
import "./fragments.js";
import "./help-sheet.js";
import "./key-map.js";
import "./mail-panes.js";
import "./message-list.js";
import "./message-view.js";
