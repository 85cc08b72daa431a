#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command and succeeds if its exit code is the one that is expected."""
import subprocess
import sys

wanted = int(sys.argv[1])
code = subprocess.run(sys.argv[2:]).returncode
sys.stdout.flush()
if code != wanted:
    print(f"expect: exit code {code}, expected {wanted}")
sys.exit(code != wanted)
