"""A shell for the blocks of a guide: what one block exports the next one has."""

import os
import subprocess
from pathlib import Path


class Terminal:
    """Runs blocks in a folder, with these variables and the machine's PATH."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.variables = {"PATH": os.environ["PATH"], "HOME": str(folder)} | variables

    def run(self, script: str) -> str:
        """Run a block, which must not fail; return what it said."""
        kept = self.folder / "exported.sh"
        before = f'. "{kept}"\n' if kept.exists() else ""
        done = subprocess.run(
            ["bash", "-c", f'set -euo pipefail\n{before}{script}\nexport -p > "{kept}"\n'],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout
