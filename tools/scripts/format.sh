#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Formats all C and C++ of the tree with clang-format 22; --check only looks.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang-format-22 >/dev/null || {
  echo "clang-format-22 not found: install clang-format-22" >&2; exit 2; }
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run --Werror)
git ls-files '*.h' '*.hpp' '*.c' '*.cpp' | xargs -r clang-format-22 "${mode[@]}"
