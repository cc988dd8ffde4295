"""A tiny shop on an origin of its own: it knows Goodword by the public snippet, a few API calls and nothing else."""
