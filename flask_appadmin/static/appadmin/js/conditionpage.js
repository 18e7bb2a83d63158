// „Abfragebedingung“ as a page of its own.
import { startCondition } from "./conditions.js";

startCondition(document.querySelector("form.condition"));
