#!/usr/bin/env sh
# Rewrites both lock files from pyproject.toml; run through `make lock`.
set -eu
BIN=$1
"$BIN/pip" install --quiet pip-tools
export CUSTOM_COMPILE_COMMAND="make lock"
compile() {
    out=$1; shift
    "$BIN/pip-compile" --quiet --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file "$out" "$@" pyproject.toml
}
compile requirements.lock --extra test
compile requirements-core.lock --constraint requirements.lock
compile requirements-docs.lock --extra docs --constraint requirements.lock
