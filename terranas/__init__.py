"""Hardware-aware neural architecture search studies on Earth-observation images.

The package is the library behind the Snakemake workflow of the same name. Each sub-package is one stage of a
study and can be used from a notebook without the workflow: ``space``, ``data``, ``sampling``, ``training``,
``profiling``, ``benchmark``, ``landscape``, ``surrogates``, ``search``, ``comparison`` and ``report``.
A stage imports only stages before it in this list, ``core`` and nothing else of the package.
"""

__version__ = "0.1.0"

LAYOUT_VERSION = 1
"""Version of the folder and table layout of a study's results; raised when old results can no longer be read."""
