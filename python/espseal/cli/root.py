"""The boundary between commands and the shell: every failure becomes a sentence and a code."""

import sys
from collections.abc import Sequence

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

import espseal
from espseal.cli import console, exits


class Root(TyperGroup):
    """Runs commands; prints what the caller did wrong as one sentence, without a traceback.

    Anything else that is raised is a bug of ours and keeps its traceback.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: object,
    ) -> int:
        """Runs the command line as `TyperGroup.main` does, and ends with a code of `exits`."""
        code = self._run(args, prog_name, complete_var, windows_expand_args, extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        windows_expand_args: bool,
        extra: dict[str, object],
    ) -> int:
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.Abort:
            console.complain("The input ended before the question was answered.")
            return exits.FAILED
        except TyperException as error:
            _complain_of_usage(error)
            return error.exit_code
        except exits.CommandError as error:
            console.complain(str(error))
            return error.code
        except espseal.Error as error:
            console.complain(str(error))
            return exits.FAILED
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            console.complain(f"{where}{error.strerror or error}")
            return exits.FAILED
        return code if isinstance(code, int) else exits.OK


def _complain_of_usage(error: TyperException) -> None:
    message = error.format_message()
    if not message:
        # A command group without a command has printed its help already.
        return
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "espseal"
    end = "" if message.endswith((".", "?")) else "."
    console.complain(f"{message}{end} Try '{path} --help'.")
