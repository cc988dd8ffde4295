"""Files of other tools: what their columns mean, and what a row of them says. Pure."""
