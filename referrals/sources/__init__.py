"""Where events come from besides the API: files now, other systems later."""
