// Starts what every page has. Pages with more load their own module beside this one.
import { startDialogs } from "./dialogs.js";
import { startFiles } from "./files.js";
import { startKeys } from "./keys.js";
import { startLookups } from "./lookups.js";
import { startMenus } from "./menus.js";
import { startMessages } from "./messages.js";
import { startSearchWindow } from "./searchwindow.js";
import { startSuggestions } from "./suggest.js";
import { startTheme } from "./theme.js";
import { startTooltips } from "./tooltips.js";
import { startWindows } from "./windows.js";

// Empty fields of a question stay out of the address.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-sparse]")) for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});

startKeys();
startMenus();
startDialogs();
startMessages();
startTheme();
startTooltips();
startFiles();
startLookups();
startSuggestions();
startSearchWindow();
startWindows();
