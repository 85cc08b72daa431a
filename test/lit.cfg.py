# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The lit suite. Tools come from the build, FileCheck and friends from LLVM 22.
# NEUROC_ROUNDTRIP=1 runs every neuroc-opt a second time through the printer
# and the parser.
import os
import shutil

import lit.formats

config.name = "neuroc"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".neuro", ".test"]
config.excludes = ["Inputs", "unit", "golden", "fuzz", "bench", "Python",
                   "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.neuroc_build_dir, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.neuroc_tools_dir, config.llvm_tools_dir,
     config.environment.get("PATH", os.environ["PATH"])])
config.environment["NO_COLOR"] = "1"
for name in ("HOME", "TMPDIR", "NEUROC_LIBRARY_PATH", "CCACHE_DIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

opt = "neuroc-opt"
if os.environ.get("NEUROC_ROUNDTRIP") == "1":
    opt += " --verify-roundtrip"
config.substitutions += [
    ("%neuroc_src", config.neuroc_source_dir),
    ("%neuroc_build", config.neuroc_build_dir),
    ("%examples", os.path.join(config.neuroc_source_dir, "examples")),
    ("%python", config.python),
    # `%expect CODE command` succeeds when the exit code is just that.
    ("%expect", config.python + " " + os.path.join(
        config.neuroc_source_dir, "test", "Tools", "expect.py")),
    (r"(?<![-\w/.])neuroc-opt(?![-\w])", opt),
]

# Features: what this build and machine have.
for tool in ("neuroc", "neuroc-opt", "neuroc-lsp-server", "neuroc-objdump"):
    if os.path.exists(os.path.join(config.neuroc_tools_dir, tool)):
        config.available_features.add(tool)
if shutil.which("qemu-arm"):
    config.available_features.add("qemu-arm")
for target in config.neuroc_targets.split():
    config.available_features.add("target-" + target)
