/** What the editor's page runs, on top of what every page does. */

import "./app.js";
import "./compose-form.js";
