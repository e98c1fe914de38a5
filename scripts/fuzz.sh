#!/usr/bin/env bash
# Builds the fuzz targets (fuzz/) and runs each for so many seconds: scripts/fuzz.sh SECONDS [TARGET…]
# The instrumentation is part of every compiler, so this needs neither cargo-fuzz nor a nightly one. No sanitizer: there is
# no unsafe code of ours to watch, but overflows and debug assertions count as failures.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=$1; shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(json token jwks cel rsa p256 ed25519)

host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
RUSTFLAGS='--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1'
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-$option"
done
export RUSTFLAGS
# With a named target, build scripts and macros are built without instrumentation.
cargo build --release --locked --target "$host" "${targets[@]/#/--bin=}"

for target in "${targets[@]}"; do
  inputs=("corpus/$target")
  [ ! -d "seeds/$target" ] || inputs+=("seeds/$target")
  mkdir -p "corpus/$target" artifacts
  printf '%s: ' "$target"
  log=$CARGO_TARGET_DIR/$target.log
  if ! "$CARGO_TARGET_DIR/$host/release/$target" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 \
      -artifact_prefix="artifacts/$target-" "${inputs[@]}" >"$log" 2>&1; then
    tail -40 "$log"
    echo "fuzz/artifacts has the input that fails" >&2
    exit 1
  fi
  sed -n 's/^stat::number_of_executed_units: *\(.*\)/\1 inputs, no failure/p' "$log"
done
