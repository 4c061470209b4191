#!/usr/bin/env bash
# Run the first Python 3.9 or later of this machine that works, with the arguments given.
# A python3 on PATH may be a version manager's shim that runs nothing, so each is tried.
set -u
shopt -s nullglob

try() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && exec "$@"
}

for python in ${PYTHON:-} python3 python3.12 python3.13 python3.11 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python; do
  try "$python" "$@"
done
python=$(uv python find --system --no-project 3.12 2>/dev/null) && try "$python" "$@"

cat >&2 <<'END'
set-up: no Python that runs was found; Python 3.12 is needed. To get it:
  Ubuntu 24.04:      apt-get install python3.12 python3.12-venv python3.12-dev
  with pyenv:        pyenv install 3.12
  with uv:           uv python install 3.12
END
exit 2
