#!/usr/bin/env bash
# cargo for wasm32-unknown-unknown with whichever standard library scripts/setup.sh found: rustup's as it is, or Debian's
# compiler building one from its source. The two never share a target folder: their artefacts don't mix.
set -euo pipefail
cd "$(dirname "$0")/.."
state=$PWD/.gatehouse
command=$1; shift
export PATH="$state/bin:$PATH"
target=${CARGO_TARGET_DIR:-$PWD/target}

case $(cat "$state/wasm-toolchain" 2>/dev/null) in
  rustup)
    exec cargo "$command" --target wasm32-unknown-unknown "$@"
    ;;
  debian)
    crates=std,panic_abort
    [ "$command" != test ] || crates=$crates,test
    lld=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-lld
    [ -x "$lld" ] || { echo "cargo-wasm: no rust-lld at $lld" >&2; exit 1; }
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$lld RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$target/debian
    exec /usr/bin/cargo "$command" -Zbuild-std="$crates" --target wasm32-unknown-unknown "$@"
    ;;
  *)
    echo "cargo-wasm: run scripts/setup.sh first" >&2
    exit 1
    ;;
esac
