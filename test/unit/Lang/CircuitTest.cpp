// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Circuits and loops against networks written out by hand: the operations are
// the same but for the names. Circuits of other files; members in experiments;
// places of errors.
#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

#include <regex>

using namespace neuroc;

namespace {
struct Compiled {
  mlir::MLIRContext context;
  llvm::SourceMgr sources;
  std::string errors;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  explicit Compiled(const std::string &text, const LangOptions &options = {}) {
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &d) {
      std::function<void(const mlir::Diagnostic &)> put =
          [&](const mlir::Diagnostic &x) {
            if (auto at = llvm::dyn_cast<mlir::FileLineColLoc>(x.getLocation()))
              errors += at.getFilename().str() + ":" +
                        std::to_string(at.getLine()) + ": ";
            errors += x.str() + "\n";
          };
      put(d);
      for (const mlir::Diagnostic &note : d.getNotes())
        put(note);
      return mlir::success();
    });
    sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "test.neuro"), {});
    module = parseNeuro(sources, context, options);
  }
  /// The text of the operations, names flattened: "c.z" and "h[1]" become
  /// "c_z" and "h_1".
  std::string flat() {
    std::string text;
    llvm::raw_string_ostream out(text);
    if (module)
      module->print(out);
    text = std::regex_replace(text, std::regex("\\[(\\d+)\\]_"), "_$1_");
    for (int round = 0; round < 3; ++round) {
      text = std::regex_replace(
          text, std::regex("([\"@_.])([a-z]\\w*)\\[(\\d+)\\]"), "$1$2_$3");
      text = std::regex_replace(text, std::regex("([\"@_.])(c|d|c_\\d)\\."),
                                "$1$2_");
    }
    return std::regex_replace(text, std::regex("@\"([\\w.]+)\""), "@$1");
  }
};

const char *const models = "model unit {\n  state z = 0\n  input drive : 1\n"
                           "  output value : 1\n  stage a { emit value = z }\n"
                           "  stage b { z += 0.1*drive }\n}\n";

TEST(Circuit, IsTheNetworkWrittenOut) {
  Compiled circuit(std::string(models) + R"(
circuit layer(below, n, rate = 0.01) {
  population z : unit[n]
  weight W : z -> below dense = 0.5
  connect below -> z.drive through transposed W
  plasticity learning on W : hebb pre z.value post below { eta = rate }
  record z.z every 2 ms
}
network n {
  dt = 1 ms
  stimulus x[4]
  circuit c = layer(x, 3)
  circuit d = layer(c.z.value, 2, rate = 0.02)
}
experiment e on n {
  present x = 1
  clamp c.z.z = 0.5
  step 5 ms
  release c.z.z
  disable d.learning
  assign d.W = 0.25
  readout t = d.z.value
  readout w = c.W
}
)");
  Compiled plain(std::string(models) + R"(
network n {
  dt = 1 ms
  stimulus x[4]
  population c_z : unit[3]
  weight c_W : c_z -> x dense = 0.5
  connect x -> c_z.drive through transposed c_W
  plasticity c_learning on c_W : hebb pre c_z.value post x { eta = 0.01 }
  record c_z.z every 2 ms
  population d_z : unit[2]
  weight d_W : d_z -> c_z dense = 0.5
  connect c_z.value -> d_z.drive through transposed d_W
  plasticity d_learning on d_W : hebb pre d_z.value post c_z.value { eta = 0.02 }
  record d_z.z every 2 ms
}
experiment e on n {
  present x = 1
  clamp c_z.z = 0.5
  step 5 ms
  release c_z.z
  disable d_learning
  assign d_W = 0.25
  readout t = d_z.value
  readout w = c_W
}
)");
  ASSERT_TRUE(circuit.module) << circuit.errors;
  ASSERT_TRUE(plain.module) << plain.errors;
  EXPECT_EQ(circuit.flat(), plain.flat());
  EXPECT_NE(circuit.flat().find("neuro.plastic @d_learning"),
            std::string::npos);
}

TEST(Circuit, LoopsAreStatementsWrittenOut) {
  Compiled loop(std::string(models) + R"(
circuit link(from, to) { connect from.value -> to.drive all_to_all weight 2 }
network n {
  dt = 1 ms
  let sizes = [2, 3, 4]
  for k in 0..3 {
    let n = sizes[k]
    population h[k] : unit[n]
    if k > 0 { link(h[k-1], h[k]) } else { }
    if sizes[k] == 3 { record h[k].z } else if n == 4 { record h[k].value }
  }
}
)");
  Compiled plain(std::string(models) + R"(
network n {
  dt = 1 ms
  population h_0 : unit[2]
  population h_1 : unit[3]
  population h_2 : unit[4]
  connect h_0.value -> h_1.drive all_to_all weight 2
  connect h_1.value -> h_2.drive all_to_all weight 2
  record h_1.z
  record h_2.value
}
)");
  ASSERT_TRUE(loop.module) << loop.errors;
  ASSERT_TRUE(plain.module) << plain.errors;
  EXPECT_EQ(loop.flat(), plain.flat());
}

/// A circuit does not see the names of the network that uses it.
TEST(Circuit, NamesArePrivate) {
  Compiled c(std::string(models) + R"(
circuit two(x) {
  let a = 2
  population z : unit[a]
  connect x.value -> z.drive all_to_all weight a
}
network n {
  dt = 1 ms
  let a = 7
  population z : unit[a]
  two(z)
  two(z)
}
)");
  ASSERT_TRUE(c.module) << c.errors;
  std::string text = c.flat();
  EXPECT_NE(text.find("@z of @unit shape [7]"), std::string::npos) << text;
  EXPECT_NE(text.find("@two.z of @unit shape [2]"), std::string::npos) << text;
  EXPECT_NE(text.find("@two_2.z of @unit shape [2]"), std::string::npos)
      << text;
  Compiled bad(std::string(models) +
               "circuit two(x) { population z : unit[a] }\n"
               "network n { dt = 1 ms\n let a = 7\n two(3) }\n");
  EXPECT_NE(bad.errors.find("test.neuro:8: unknown name 'a'"),
            std::string::npos)
      << bad.errors;
  EXPECT_NE(bad.errors.find("test.neuro:11: in circuit 'two', expanded here"),
            std::string::npos)
      << bad.errors;
}

TEST(Circuit, MayStandInOtherFiles) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("neuroc-circuit", folder));
  auto write = [&](const char *name, const std::string &text) {
    llvm::SmallString<128> file(folder);
    llvm::sys::path::append(file, name);
    std::error_code ec;
    llvm::raw_fd_ostream out(file, ec);
    out << text;
  };
  write("library.neuro", std::string(models) +
                             "circuit shared(x) {\n  population z : unit[2]\n"
                             "  connect x -> z.typo all_to_all weight 1\n}\n"
                             "circuit own(x) { population z : unit[9] }\n");
  write("parts.neuro", "circuit imported(x) { shared(x) }\n");
  LangOptions options;
  options.libraryPaths = {std::string(folder)};
  options.importPaths = {std::string(folder)};
  // The user's circuit replaces the library's.
  Compiled good("import \"parts.neuro\"\n"
                "circuit shared(x) { population z : unit[3] }\n"
                "network n { dt = 1 ms\n imported(1)\n own(1) }\n",
                options);
  ASSERT_TRUE(good.module) << good.errors;
  EXPECT_NE(good.flat().find("@imported.shared.z of @unit shape [3]"),
            std::string::npos)
      << good.flat();
  Compiled bad("import \"parts.neuro\"\nnetwork n { dt = 1 ms\n"
               " stimulus s[1]\n imported(s) }\n",
               options);
  EXPECT_FALSE(bad.module);
  EXPECT_TRUE(std::regex_search(
      bad.errors, std::regex("library.neuro:10: unknown input 'typo'[^\n]*\n"
                             "[^\n]*library.neuro:10: help: [^\n]*\n"
                             "[^\n]*parts.neuro:1: in circuit 'shared', "
                             "expanded here\n"
                             "test.neuro:4: in circuit 'imported', expanded "
                             "here\n")))
      << bad.errors;
  llvm::sys::fs::remove_directories(folder);
}

/// What MLIR's verifier finds carries the place of the expansion, too.
TEST(Circuit, LocationsKeepTheExpansion) {
  Compiled c(std::string(models) + "circuit two(x) { population z : unit[2] }\n"
                                   "network n { dt = 1 ms\n two(3) }\n");
  ASSERT_TRUE(c.module) << c.errors;
  neuro::PopulationOp op;
  c.module->walk([&](neuro::PopulationOp p) { op = p; });
  auto at = llvm::dyn_cast<mlir::CallSiteLoc>(op.getLoc());
  ASSERT_TRUE(at);
  EXPECT_EQ(llvm::cast<mlir::FileLineColLoc>(at.getCallee()).getLine(), 8u);
  EXPECT_EQ(llvm::cast<mlir::FileLineColLoc>(at.getCaller()).getLine(), 10u);
}
} // namespace
