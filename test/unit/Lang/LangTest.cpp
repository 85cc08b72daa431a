// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front end as its callers see it: results, locations of diagnostics,
// options; the shipped library and examples; the grammar page.
#include "Parser.h"

#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <regex>

using namespace neuroc;

namespace {
struct Compiled {
  mlir::MLIRContext context;
  llvm::SourceMgr sources;
  std::vector<std::string> diagnostics; ///< "line:col: message"
  mlir::OwningOpRef<mlir::ModuleOp> module;

  explicit Compiled(llvm::StringRef text, const LangOptions &options = {},
                    llvm::StringRef name = "test.neuro") {
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &d) {
      std::string where = "?";
      if (auto loc = llvm::dyn_cast<mlir::FileLineColLoc>(d.getLocation()))
        where = std::to_string(loc.getLine()) + ":" +
                std::to_string(loc.getColumn());
      diagnostics.push_back(where + ": " + d.str());
      return mlir::success();
    });
    sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, name), {});
    module = parseNeuro(sources, context, options);
  }
};

std::vector<std::string> neuroFiles(const std::string &folder) {
  std::vector<std::string> files;
  std::error_code ec;
  for (llvm::sys::fs::recursive_directory_iterator it(folder, ec), end;
       it != end && !ec; it.increment(ec))
    if (llvm::StringRef(it->path()).ends_with(".neuro"))
      files.push_back(it->path());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(Lang, ErrorsPointAtTheFaultyExpression) {
  Compiled c("model m {\n  state v = 1 mV\n  output y : mV\n"
             "  emit y = v + 2 nA\n}\n");
  EXPECT_FALSE(c.module);
  ASSERT_EQ(c.diagnostics.size(), 1u);
  EXPECT_EQ(c.diagnostics[0].rfind("4:14: '+' needs equal units", 0), 0u)
      << c.diagnostics[0];
}

TEST(Lang, AFileMayEndAnywhere) {
  Compiled c("model");
  EXPECT_EQ(c.diagnostics.at(0),
            "1:6: expected the name of the model, found the end of the file");
}

TEST(Lang, OperationsCarryTheirPlace) {
  Compiled c("model m {\n  output y : 1\n  emit y = 1\n}\n");
  ASSERT_TRUE(c.module);
  unsigned line = 0;
  c.module->walk([&](neuro::EmitOp op) {
    line = llvm::cast<mlir::FileLineColLoc>(op.getLoc()).getLine();
  });
  EXPECT_EQ(line, 3u);
}

TEST(Lang, ErrorsAreCapped) {
  std::string text = "model m {\n output y : 1\n";
  for (int k = 0; k < 50; ++k)
    text += "  x" + std::to_string(k) + " = 1\n";
  Compiled c(text + " emit y = 1\n}\n");
  EXPECT_EQ(c.diagnostics.size(), 20u);
}

TEST(Lang, ParametersOfANetworkCanBeOverridden) {
  LangOptions options;
  options.overrides = {{"n", "7"}, {"tau", "5 ms"}};
  Compiled c("model m { param tau = 1 ms\n output y : 1\n emit y = tau/(1 ms) }\n"
             "network n { param n = 3\n param tau = 1 ms\n dt = 1 ms\n"
             " population p : m[n] { tau = tau } }\n",
             options);
  ASSERT_TRUE(c.module) << c.diagnostics[0];
  c.module->walk([](neuro::PopulationOp op) {
    EXPECT_EQ(op.getNumUnits(), 7);
    EXPECT_EQ(llvm::cast<mlir::FloatAttr>(op.getParams()->get("tau"))
                  .getValueAsDouble(),
              5.0);
  });
}

TEST(Lang, TheTimeStepCanBeOverriddenAndUsed) {
  const char *text =
      "model m { input i : 1\n output s\n emit s when i > 0 }\n"
      "network n { dt = 0.1 ms\n seed = 3\n population p : m[2]\n"
      " connect p -> p.i all_to_all weight 1 delay max(0.2 ms, dt) }";
  LangOptions options;
  options.overrides = {{"dt", "1ms"}, {"seed", "8"}};
  Compiled c(text, options);
  ASSERT_TRUE(c.module);
  c.module->walk([](neuro::NetworkOp op) {
    EXPECT_EQ(op.getDt().convertToDouble(), 1.0);
    EXPECT_EQ(op.getSeed(), 8u);
  });
  c.module->walk([](neuro::ProjectOp op) { EXPECT_EQ(op.getDelay(), 1u); });
  options.overrides = {{"sede", "8"}};
  Compiled wrong(text, options);
  EXPECT_FALSE(wrong.module);
  EXPECT_NE(wrong.diagnostics.at(0).find(
                "unknown parameter 'sede' of --set; did you mean 'seed'?"),
            std::string::npos)
      << wrong.diagnostics[0];
  options.overrides = {{"dt", "1 +"}};
  EXPECT_FALSE(Compiled(text, options).module);
  options.overrides = {{"dt", "1 ms)"}};
  Compiled tail(text, options);
  EXPECT_NE(tail.diagnostics.at(0).find(
                "expected the end of the expression, found ')'"),
            std::string::npos)
      << tail.diagnostics[0];
}

TEST(Lang, NetworksComeFromFilesThroughTheCallback) {
  std::string asked;
  LangOptions options;
  options.importNetwork = [&](llvm::StringRef path, llvm::StringRef name,
                              mlir::Location loc, mlir::ModuleOp module) {
    asked = path.str();
    mlir::OpBuilder b = mlir::OpBuilder::atBlockEnd(module.getBody());
    auto net = neuro::NetworkOp::create(b, loc, name, llvm::APFloat(1.0), 1);
    b.setInsertionPointToStart(&net.getBody().emplaceBlock());
    auto type = mlir::RankedTensorType::get({2}, b.getF32Type());
    auto s = neuro::StimulusOp::create(b, loc, type, "x", mlir::Attribute(),
                                       mlir::DenseF64ArrayAttr(),
                                       mlir::StringAttr());
    neuro::ProbeOp::create(b, loc, "y", s.getOutput(), 1, true,
                           mlir::StringAttr(), mlir::StringAttr());
    return mlir::success();
  };
  std::string file = std::string(NEUROC_SOURCE_DIR) + "/docs/grammar.md";
  Compiled c("network net from \"" + file + "\"\n"
             "experiment e on net { present x = 1\n step 1 ms\n"
             " readout r = y\n expect mean(r) >= 0 }\n",
             options);
  ASSERT_TRUE(c.module) << (c.diagnostics.empty() ? "" : c.diagnostics[0]);
  EXPECT_EQ(asked, file);
  Compiled without("network net from \"" + file + "\"\n");
  EXPECT_FALSE(without.module);
  EXPECT_EQ(without.diagnostics.at(0),
            "1:18: networks from files cannot be read here");
  options.importNetwork = [](llvm::StringRef, llvm::StringRef, mlir::Location,
                             mlir::ModuleOp) { return mlir::failure(); };
  Compiled broken("network net from \"" + file + "\"\n", options);
  EXPECT_FALSE(broken.module);
  EXPECT_NE(broken.diagnostics.at(0).find("could not be imported"),
            std::string::npos);
}

TEST(Lang, ADefaultThatFollowsFromADrawUsesThatDraw) {
  Compiled c("model m { param a = 1\n state v = 2*a\n output y : 1\n"
             " emit y = v }\n"
             "network n { dt = 1 ms\n population p : m[8] { a = uniform(0, 1) } }");
  ASSERT_TRUE(c.module);
  c.module->walk([](neuro::PopulationOp op) {
    auto a = llvm::cast<mlir::DenseElementsAttr>(op.getParams()->get("a"))
                 .getValues<double>();
    auto v = llvm::cast<mlir::DenseElementsAttr>(op.getInit()->get("v"))
                 .getValues<double>();
    for (int i = 0; i < 8; ++i)
      EXPECT_EQ(v[i], 2 * a[i]);
    EXPECT_NE(a[0], a[1]);
  });
}

TEST(Lang, EveryModelAndRuleOfTheLibraryIsValid) {
  auto files = neuroFiles(std::string(NEUROC_SOURCE_DIR) + "/lib/Library");
  ASSERT_GE(files.size(), 4u);
  // As files of the user's, so that every definition is checked and emitted
  // and none stands twice.
  std::string all;
  for (const std::string &file : files) {
    auto text = llvm::MemoryBuffer::getFile(file);
    ASSERT_TRUE(text);
    EXPECT_FALSE((*text)->getBuffer().contains('\t')) << file;
    all += "import \"" + file + "\"\n";
  }
  LangOptions options;
  options.useLibrary = false;
  Compiled c(all, options);
  EXPECT_TRUE(c.module) << (c.diagnostics.empty() ? "" : c.diagnostics[0]);
}

TEST(Lang, EveryExampleIsValid) {
  for (const std::string &file :
       neuroFiles(std::string(NEUROC_SOURCE_DIR) + "/examples")) {
    auto text = llvm::MemoryBuffer::getFile(file);
    if ((*text)->getBuffer().contains(" from \"") &&
        (*text)->getBuffer().contains(".onnx"))
      continue; // needs the importer
    Compiled c((*text)->getBuffer(), {}, file);
    EXPECT_TRUE(c.module) << file << ": "
                          << (c.diagnostics.empty() ? "" : c.diagnostics[0]);
  }
}

/// The blocks marked `neuro` in the manual are whole programs.
TEST(Lang, EveryProgramOfTheManualIsValid) {
  auto page = llvm::MemoryBuffer::getFile(std::string(NEUROC_SOURCE_DIR) +
                                          "/docs/language.md");
  ASSERT_TRUE(page);
  llvm::StringRef rest = (*page)->getBuffer();
  unsigned count = 0;
  for (;;) {
    size_t at = rest.find("```neuro\n");
    if (at == llvm::StringRef::npos)
      break;
    rest = rest.substr(at + 9);
    llvm::StringRef program = rest.take_front(rest.find("```"));
    Compiled c(program);
    EXPECT_TRUE(c.module) << program.str()
                          << (c.diagnostics.empty() ? "" : c.diagnostics[0]);
    ++count;
  }
  EXPECT_GE(count, 5u);
}

/// The manual's table of the library is complete.
TEST(Lang, TheManualNamesTheWholeLibrary) {
  auto page = llvm::MemoryBuffer::getFile(std::string(NEUROC_SOURCE_DIR) +
                                          "/docs/language.md");
  ASSERT_TRUE(page);
  std::regex head("(^|\n)(model|rule|circuit) ([a-z_A-Z0-9]+)");
  for (const std::string &file :
       neuroFiles(std::string(NEUROC_SOURCE_DIR) + "/lib/Library")) {
    std::string text = (*llvm::MemoryBuffer::getFile(file))->getBuffer().str();
    for (std::sregex_iterator it(text.begin(), text.end(), head), end;
         it != end; ++it)
      EXPECT_TRUE((*page)->getBuffer().contains("`" + (*it)[3].str() + "`"))
          << (*it)[3] << " of " << file;
  }
}

TEST(Lang, TheLibraryPathCanBeSet) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("neuroc-library", folder));
  llvm::SmallString<128> file(folder);
  llvm::sys::path::append(file, "own.neuro");
  {
    std::error_code ec;
    llvm::raw_fd_ostream out(file, ec);
    out << "model own_cell { output y : 1\n emit y = 1 }\n";
  }
  const char *text = "network n { dt = 1 ms\n population p : own_cell[2] }";
  EXPECT_FALSE(Compiled(text).module);
  setenv("NEUROC_LIBRARY_PATH", folder.c_str(), 1);
  EXPECT_TRUE(Compiled(text).module);
  unsetenv("NEUROC_LIBRARY_PATH");
  LangOptions options;
  options.libraryPaths = {std::string(folder)};
  EXPECT_TRUE(Compiled(text, options).module);
  llvm::sys::fs::remove_directories(folder);
}

TEST(Lang, TheGrammarPageNamesEveryWord) {
  auto page = llvm::MemoryBuffer::getFile(std::string(NEUROC_SOURCE_DIR) +
                                          "/docs/grammar.md");
  ASSERT_TRUE(page);
  std::string text = (*page)->getBuffer().str();
  for (const std::string &word : lang::keywords())
    EXPECT_TRUE(std::regex_search(
        text, std::regex("(^|[^A-Za-z_])" + word + "([^A-Za-z_0-9]|$)")))
        << "docs/grammar.md does not mention '" << word << "'";
}

/// And the other way round: a quoted word of the grammar is one the parser
/// knows.
TEST(Lang, TheGrammarPageHasNoWordTooMany) {
  auto page = llvm::MemoryBuffer::getFile(std::string(NEUROC_SOURCE_DIR) +
                                          "/docs/grammar.md");
  ASSERT_TRUE(page);
  std::string text = (*page)->getBuffer().str();
  std::set<std::string> known(lang::keywords().begin(), lang::keywords().end());
  for (const char *option : {"self", "multapses", "kernel", "strides", "pads",
                             "dilations", "groups", "d", "dv", "e", "E",
                             "_"})
    known.insert(option);
  std::regex quoted("\"([a-zA-Z_][a-zA-Z_0-9]*)\"");
  for (std::sregex_iterator it(text.begin(), text.end(), quoted), end;
       it != end; ++it)
    EXPECT_TRUE(known.count((*it)[1])) << (*it)[1] << " is not a keyword";
}
} // namespace
