// The page „Layouts“: choosing another window or work group shows it at once; what is not saved yet is asked for.

import { watch } from "./wholepage.js";

const choice = document.querySelector("[data-layout-choice]");

choice.addEventListener("change", () => choice.requestSubmit());
watch(document.getElementById("layout"));
