// The page on which columns become fields: what new records get is chosen with a search.

import { startLookups } from "./lookups.js";

startLookups();
