#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The demonstration: four models, one of each family and one from ONNX, on the
# reference and on every target of this build, in one table.
# Usage: demo.sh PATH-TO-NEUROC
set -euo pipefail
neuroc=$(realpath "$1")
cd "$(dirname "$0")/../../examples"
echo "Six programs of four families, compiled for and run on four machines; half a minute."
exec "$neuroc" compare \
  digits/digits-mlp.neuro digits/digits-cnn.neuro \
  balanced/cuba.neuro \
  predictive-coding/two-layer.neuro \
  hebbian/memory.neuro hebbian/oja.neuro
