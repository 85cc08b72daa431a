# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""damage.py PROGRAM WHAT OUT: a program of two parts with a broken manifest."""
import json
import sys
import zipfile

program, what, out = sys.argv[1:4]
with zipfile.ZipFile(program) as source, \
        zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as result:
    for name in source.namelist():
        data = source.read(name)
        if name == "manifest.json":
            manifest = json.loads(data)
            if what == "parts":
                manifest["program"]["parts"].pop()
            elif what == "member":
                manifest["program"]["parts"][1]["member"] = "parts/none.nrx"
            elif what == "link":
                manifest["program"]["links"][0]["name"] = "nothing"
            elif what == "probe":
                manifest["probes"][4]["name"] = "nobody"
            data = json.dumps(manifest)
        result.writestr(zipfile.ZipInfo(name), data)
