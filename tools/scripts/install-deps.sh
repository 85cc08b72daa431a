#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs the Debian 12 packages that building and testing neuroc needs, and
# only those that are missing. `--list` prints them with their reasons.
set -euo pipefail

# package: why
packages='
cmake: configures the build
ninja-build: runs it
g++: the C++ standard library, and the runtime-only and asan presets
clang-22: compiles the compiler, and the kernel of the ARM cores
clang-format-22: make format
clang-tidy-22: make lint
lld-22: links the build, and (as a library) the programs that neuroc writes
liblld-22-dev: that library
llvm-22-dev: LLVM libraries and headers
llvm-22-tools: lit, FileCheck, not, split-file
llvm-22: llvm-objdump, llvm-readelf and llvm-mc for the tests of emitted code
libmlir-22-dev: MLIR libraries and headers
mlir-22-tools: mlir-tblgen
libeigen3-dev: matrix exponentials and linear solves at compile time
libonnx-testdata: the ONNX conformance cases
libhdf5-dev: SONATA spike files
nlohmann-json3-dev: JSON in the runtime
libgtest-dev: unit tests
qemu-user: runs emitted ARM code beside the simulator
python3: the test runner
python3-numpy: tests and the Python package
python3-pytest: its tests
python3-h5py: reads SONATA files in tests
unzip: tests that a program is an ordinary zip archive
'
optional='ccache: rebuilds faster'

if [ "${1:-}" = --list ]; then
  printf '%s\n' "$packages" | sed '/^$/d'
  echo "$optional (optional)"
  exit 0
fi

command -v dpkg-query >/dev/null || {
  echo "install-deps: this is not a Debian system; needed are the counterparts of"
  printf '%s\n' "$packages" | sed '/^$/d; s/^/  /'
  exit 0
}
installed() {
  dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}
missing=()
while IFS=: read -r name reason; do
  [ -n "$name" ] || continue
  installed "$name" && continue
  missing+=("$name")
  echo "missing: $name:$reason"
done <<<"$packages"
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-deps: not root and no sudo; run as root:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  }
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq "$@"; }
# The lists may be old or absent; no network is no error until a package lacks.
apt update || echo "install-deps: the package lists could not be updated"
if ! apt install --no-install-recommends "${missing[@]}"; then
  cat >&2 <<END
install-deps: these packages could not be installed: ${missing[*]}
Is there a network? Version 22 of LLVM, MLIR, clang and lld must be in a
configured apt source. Nothing else of neuroc needs the network.
END
  exit 1
fi
