"""Files of other tools: kept, checked, imported, undone, forgotten."""
