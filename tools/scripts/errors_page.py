#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes docs/errors.md from `neuroc explain`; --check only compares."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "errors.md")


def explain(neuroc, *code):
    return subprocess.run([neuroc, "explain", *code], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def page(neuroc):
    lines = ["# Error codes", "",
             "Every error of the command line ends with a code; `neuroc explain CODE`",
             "prints its text. This page is written by `tools/scripts/errors_page.py`.", ""]
    for line in explain(neuroc).splitlines():
        text = explain(neuroc, line.split()[0]).splitlines()
        lines += ["## " + text[0], ""] + text[2:] + [""]
    return "\n".join(lines).rstrip() + "\n"


def main():
    text = page(sys.argv[1])
    if "--check" in sys.argv:
        with open(PAGE) as stream:
            if stream.read() != text:
                sys.exit("docs/errors.md is out of date: run "
                         "tools/scripts/errors_page.py NEUROC")
        return
    with open(PAGE, "w") as stream:
        stream.write(text)


if __name__ == "__main__":
    main()
