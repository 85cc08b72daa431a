# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""splice.py A B MEMBER OUT: container A with one member taken from B."""
import sys
import zipfile

a, b, member, out = sys.argv[1:5]
with zipfile.ZipFile(a) as first, zipfile.ZipFile(b) as second, \
        zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as result:
    for name in first.namelist():
        source = second if name == member else first
        result.writestr(zipfile.ZipInfo(name), source.read(name))
