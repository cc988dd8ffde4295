"""English for readers in many countries: the month as a word, hours to 24."""
