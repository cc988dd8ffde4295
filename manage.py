#!/usr/bin/env python
"""Goodword's command line: `python manage.py help` lists the commands; any of them with `--sandbox` runs there."""

import os
import sys

from django.core.management import execute_from_command_line

from config.sandbox import SameDatabase

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if "--sandbox" in sys.argv[2:]:
        sys.argv.remove("--sandbox")
        os.environ["SANDBOX"] = "on"  # before the settings are read: everything of a sandbox follows from it
    try:
        execute_from_command_line(sys.argv)
    except SameDatabase as refusal:
        sys.exit(f"Error: {refusal}")
