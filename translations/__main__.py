"""Write the catalogues anew, or with `--check` say what is wrong with them."""

import sys
from collections.abc import Collection

from .catalogues import files_of, languages
from .review import faults_of


def main(*, is_check: bool, new: Collection[str] = ()) -> int:
    """Write or check the catalogues, and begin new ones; return the status of the process."""
    faults = []
    for language in sorted({*languages(), *new}):
        for path, content in files_of(language).items():
            if not is_check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            elif not path.exists() or path.read_bytes() != content:
                faults.append(f"{path.name} of {language} is stale: run make messages.")
        faults += faults_of(language)
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults and is_check else 0


if __name__ == "__main__":
    named = [argument for argument in sys.argv[1:] if argument != "--check"]
    sys.exit(main(is_check="--check" in sys.argv[1:], new=named))
