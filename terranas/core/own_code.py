"""Python files that users write and settings name: looked at before any job, run later, their errors told as theirs."""

import ast
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terranas.core.errors import TerranasError


@dataclass(frozen=True)
class OwnCode:
    """A user's Python file that defines one function.

    Attributes:
        setting: name of the setting that names the file, for messages.
        file: the file; relative ones count from the working directory.
        signature: the function and its arguments, as in ``open_reader(path, images, seed)``.
        page: the page of the documentation that says what the function must return.
        thing: what it returns, in one word.
        error: class of the errors.
    """

    setting: str
    file: Path
    signature: str
    page: str
    thing: str
    error: type[TerranasError]

    def check(self) -> None:
        """Check that the file exists, is valid Python and has the function, without running it.

        Raises:
            TerranasError: of the class ``error``.
        """
        if not self.file.is_file() or self.file.suffix != ".py":
            raise self.error(
                f"{self.setting} is '{self.file}', but there is no such Python file (.py). Looked for "
                f"{self.file.absolute()}."
            )
        try:
            tree = ast.parse(self.file.read_bytes(), filename=str(self.file))
        except (SyntaxError, ValueError) as error:
            raise self.error(f"{self.setting} {self.file} is no valid Python: {error}.") from error
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        names |= {alias.asname or alias.name for n in tree.body if isinstance(n, ast.ImportFrom) for alias in n.names}
        if self._entry not in names:
            raise self.error(
                f"{self.setting} {self.file} has no function {self.signature}; it has "
                f"{', '.join(sorted(names)) or 'none'}. {self.page} has an example."
            )

    def call(self, *arguments: Any) -> Any:
        """Run the file and return what its function gives for these arguments.

        Raises:
            TerranasError: of the class ``error``; the file cannot be run, lacks the function, or raised an error.
        """
        with self.told("it was loaded"):
            entry: Callable[..., Any] | None = getattr(self._module(), self._entry, None)
        if not callable(entry):
            raise self.wrong(f"it has no function {self.signature}")
        with self.told(f"{self._entry} was called"):
            return entry(*arguments)

    @contextmanager
    def told(self, when: str, passes: Callable[[Exception], bool] = lambda _: False) -> Iterator[None]:
        """Turn any error of the file's code into one that names its file and line.

        Args:
            when: what was done, for the message.
            passes: says which errors are left as they are, besides those of terranas.
        """
        try:
            yield
        except TerranasError:
            raise
        except Exception as error:
            if passes(error):
                raise
            place = str(self.file.resolve())
            lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == place]
            line = f", line {lines[-1]}" if lines else ""
            raise self.error(
                f"{self.setting} {self.file}{line}: {type(error).__name__}: {error}, when {when}. {self._rules}"
            ) from error

    def wrong(self, what: str) -> TerranasError:
        """Return an error that names the file and says what is wrong with it."""
        return self.error(f"{self.setting} {self.file}: {what}. {self._rules}")

    @property
    def _entry(self) -> str:
        return self.signature.partition("(")[0]

    @property
    def _rules(self) -> str:
        return f"{self.page} says what a {self.thing} must do."

    def _module(self) -> Any:
        name = f"terranas_own_{self.thing}"
        spec = importlib.util.spec_from_file_location(name, self.file.resolve())
        if spec is None or spec.loader is None:
            raise self.error(f"{self.setting} {self.file} is no Python file; expected one that ends in .py.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look there
        spec.loader.exec_module(module)
        return module
