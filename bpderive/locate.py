"""Where the templates lie: inside the package as installed, or at the top of the repository.

In: nothing.  Out: a path.  Must not know what the templates hold.
"""

from pathlib import Path

from bpderive.errors import DerivationError


def templates() -> Path:
    """The folder of templates, notations and locales.

    Raises:
        DerivationError: if the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise DerivationError(
        f"the folder of templates is missing from {package}: install bpderive again"
    )
