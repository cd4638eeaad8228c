#!/bin/sh
# Prints the path of a Python interpreter: tools/find_python.sh VERSION...
#
# The first of the versions ("3.13 3.12 3.11") that the PATH has; else the first that uv finds or
# that pyenv keeps. A shim that leads nowhere does not count. Exit code 1: there is none.
set -u

on_path() { # VERSION
  command -v "python$1"
  command -v python3
  command -v python
}

elsewhere() { # VERSION
  for uv in .venv/bin/uv "$(command -v uv)"; do
    if [ -x "$uv" ]; then "$uv" python find --no-project --system "$1" 2>/dev/null; fi
  done
  for python in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do echo "$python"; done
}

first_of() { # VERSION, and the candidates on standard input
  while read -r python; do
    # A shim's answer depends on the folder that it is asked in: what counts is what it runs.
    program='import sys, venv; print("%d.%d" % sys.version_info[:2], sys.executable)'
    answer=$("$python" -c "$program" 2>/dev/null) || continue
    if [ "${answer%% *}" = "$1" ]; then echo "${answer#* }"; break; fi
  done
}

for where in on_path elsewhere; do
  for version in "$@"; do
    found=$($where "$version" | first_of "$version")
    if [ -n "$found" ]; then echo "$found"; exit 0; fi
  done
done
exit 1
