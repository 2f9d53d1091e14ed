#!/usr/bin/env bash
# Makes registries without pods and tells what they cost the operator: time, passes, requests, memory.
#
#   scale.sh [COUNT]    1000 without it
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
export SCALE_OBJECTS=${1:-1000}
cargo test --locked --manifest-path "$ROOT/Cargo.toml" --workspace --test scale -- --nocapture
