#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The house rules that a program can check. Prints every breach; the last line
is `N passed, N failed`, one count per rule.

1. includes follow the arrows: tools -> lib -> dialects -> include; the runtime
   includes nothing of the compiler; lib/ has no exceptions, hence no nlohmann;
2. every source file opens with its licence identifier;
3. no source file is longer than 1000 lines (tables excepted);
4. no pass, target or runtime names a model of the library or an example;
5. no file of the compiler or runtime calls abort-like functions on input.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE = (".h", ".hpp", ".c", ".cpp", ".td", ".def", ".S")
SOURCE = CODE + (".py", ".sh", ".cmake", ".neuro")
MAX_LINES = 1000


def files():
    try:
        listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                                 cwd=ROOT, text=True, check=True,
                                 stdout=subprocess.PIPE).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        listing = []
        for folder, subfolders, names in os.walk(ROOT):
            subfolders[:] = [s for s in subfolders if s not in ("build", ".git")]
            listing += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    return sorted(p for p in listing if p and os.path.isfile(os.path.join(ROOT, p)))


def read(path):
    with open(os.path.join(ROOT, path), errors="replace") as stream:
        return stream.read()


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', read(path), re.M)


def layer_breach(path, header):
    """Why `path` may not include `header`, or None."""
    top = path.split("/")[0]
    compiler = header.startswith(("mlir/", "llvm/", "lld/", "clang/"))
    ours = header.startswith("neuroc/")
    runtime = header.startswith("neuroc/rt/")
    dialect = re.match(r"neuroc/(Neuro|Spinn|Xbar)/", header)
    public = re.match(r"neuroc/(Frontend|Target|Driver|Conversion|Reference|Pipelines)/", header)
    if top == "runtime":
        if compiler or (ours and not runtime):
            return "the runtime includes nothing of the compiler"
    if top == "dialects":
        if public:
            return "dialects include no library of the compiler"
        own = path.split("/")[1].capitalize()
        if dialect and dialect.group(1) != own and not re.match(
                r"neuroc/Neuro/", header):
            return "a dialect names no other dialect than neuro"
    if top in ("lib", "dialects", "include") and (
            header.startswith("nlohmann/") or header == "neuroc/rt/Json.h"):
        return "the compiler has no exceptions: use llvm::json"
    if top == "include" and header.startswith("../"):
        return "public headers stand on their own"
    return None


def rule_layers(paths):
    for path in paths:
        if path.endswith(CODE) and path.split("/")[0] in (
                "runtime", "dialects", "lib", "include", "tools"):
            for header in includes(path):
                why = layer_breach(path, header)
                if why:
                    yield f"{path}: includes {header}: {why}"


def rule_licence(paths):
    for path in paths:
        name = os.path.basename(path)
        # Inputs of tests may be bytes or text whose first line matters.
        if path.startswith("test/") and not path.endswith((".h", ".cpp", ".py", ".c")):
            continue
        if path.endswith(SOURCE) or name == "CMakeLists.txt" or name == "Makefile":
            if "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception" not in \
                    "\n".join(read(path).split("\n")[:3]):
                yield f"{path}: the first lines lack the licence identifier"


def rule_sizes(paths):
    for path in paths:
        if path.endswith(CODE) and not path.endswith((".def", ".td")):
            count = read(path).count("\n")
            if count > MAX_LINES:
                yield f"{path}: {count} lines; split it (at most {MAX_LINES})"


def library_names(paths):
    """Names of models and rules of the library, and of the examples."""
    names = set()
    for path in paths:
        if path.startswith(("lib/Library/", "examples/")) and path.endswith(".neuro"):
            names |= set(re.findall(r"^(?:model|rule|network)\s+(\w+)", read(path), re.M))
        if path.startswith("examples/"):
            names.add(path.split("/")[1])
    # Words that are also ordinary words of code.
    return {n for n in names if len(n) > 3} - {"linear", "memory", "digits", "balanced",
                                               "hebbian", "user-defined", "relay",
                                               "uniform", "rate", "noise", "sign",
                                               "clock", "predictive-coding"}


def rule_names(paths):
    names = library_names(paths)
    pattern = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, sorted(names))) + r")(?![\w-])")
    for path in paths:
        if not path.endswith((".h", ".cpp", ".c", ".td")) or path.split("/")[0] not in (
                "runtime", "dialects", "lib", "include"):
            continue
        if path.startswith(("lib/Library/", "lib/Driver/Options.cpp", "lib/Driver/Explain.cpp",
                            "lib/Driver/Objdump.cpp")):
            continue  # examples in help texts
        text = read(path)
        # Comments and descriptions may give examples; code may not.
        text = re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text,
                      flags=re.S)
        if path.endswith(".td"):
            text = re.sub(r"\[\{.*?\}\]", lambda m: "\n" * m.group(0).count("\n"), text,
                          flags=re.S)
        for number, line in enumerate(text.split("\n"), 1):
            found = pattern.search(line)
            if found:
                yield f"{path}:{number}: names '{found.group(1)}'"


def rule_aborts(paths):
    pattern = re.compile(r"\b(report_fatal_error|std::abort|std::exit|[^_\w.]exit|[^_\w.]abort)\s*\(")
    for path in paths:
        if path.endswith((".cpp", ".h")) and path.split("/")[0] in (
                "runtime", "dialects", "lib"):
            text = re.sub(r"//[^\n]*", "", read(path))
            text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
            for number, line in enumerate(text.split("\n"), 1):
                if pattern.search(" " + line) and "/kernel/" not in path:
                    yield f"{path}:{number}: ends the process; return an error"


def main():
    paths = files()
    passed = failed = 0
    for rule in (rule_layers, rule_licence, rule_sizes, rule_names, rule_aborts):
        breaches = list(rule(paths))
        for breach in breaches:
            print(breach)
        print(f"{rule.__name__}: {len(breaches)} breaches")
        passed, failed = passed + (not breaches), failed + bool(breaches)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
