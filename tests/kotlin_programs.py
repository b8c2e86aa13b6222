"""Kotlin compiled and run on a JVM, for the tests of the Kotlin code in `saved_models/`."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

PATIENCE = 300  # seconds that the compiler may take


@cache
def kotlin_home() -> Path:
    """The folder of a Kotlin compiler, with `bin/kotlinc` and `lib`; skips the test where there is none."""
    if shutil.which("java") is None:
        pytest.skip("no Java: apt-get install default-jre-headless")
    on_path = shutil.which("kotlinc")
    named = os.environ.get("KOTLIN_HOME")
    if named is None and on_path is None:
        pytest.skip(
            "no Kotlin: type `npm install kotlin-compiler`, and set KOTLIN_HOME to the folder "
            "node_modules/kotlin-compiler that it makes"
        )
    home = Path(named) if named else Path(os.path.realpath(str(on_path))).parents[1]
    if not (home / "bin" / "kotlinc").is_file():
        pytest.skip(f"{home} has no bin/kotlinc: set KOTLIN_HOME to the folder of a Kotlin compiler")
    return home


def compile_kotlin(sources: Sequence[Path], jar: Path) -> Path:
    """Compiles files of Kotlin into a jar; warnings are errors."""
    home = kotlin_home()
    command = ["bash", home / "bin" / "kotlinc", *sources, "-Werror", "-d", jar]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return jar


def run_kotlin(jar: Path, main: str, text: str = "") -> str:
    """What a program writes that is given a text.

    Args:
        jar: what `compile_kotlin` made.
        main: the class of the function `main`: of a file `Steps.kt` it is `StepsKt`, after its package.
        text: its standard input.
    """
    classes = f"{jar}{os.pathsep}{kotlin_home() / 'lib' / 'kotlin-stdlib.jar'}"
    done = subprocess.run(
        ["java", "-cp", classes, main], input=text, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
