#!/bin/sh
# Make .venv and put into it exactly what requirements/dev.txt locks, hashes checked.
# uv (locked as well) takes seconds where pip takes minutes; pip takes over when uv cannot.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || stop \
    "Tribute needs Python 3.11 or newer; $python is $("$python" --version 2>/dev/null || echo missing)." \
    "Name another one: make install PYTHON=/path/to/python3.12"

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv >/dev/null 2>&1 ||
        "$python" -m virtualenv --quiet --clear .venv 2>/dev/null || stop \
        "$python cannot make a virtual environment: its venv module is missing." \
        "On Debian and Ubuntu: apt-get install python3-venv. Elsewhere: $python -m pip install virtualenv"
fi

echo "Installing the locked packages into .venv; the first time takes a minute or two."
with_uv() {
    .venv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt &&
        .venv/bin/python -m uv pip install --quiet --python .venv/bin/python \
            --require-hashes -r requirements/dev.txt
}
with_uv || {
    echo "uv could not; trying pip, which takes a few minutes."
    .venv/bin/python -m pip install --quiet --require-hashes -r requirements/dev.txt
}

# The client by its own metadata; the project itself by its place, so that programs
# in .venv/bin find it from any folder.
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable ./client
.venv/bin/python - <<'END'
import os
import pathlib
import sysconfig

place = pathlib.Path(sysconfig.get_paths()["purelib"], "tribute-project.pth")
place.write_text(os.getcwd() + "\n")
END
