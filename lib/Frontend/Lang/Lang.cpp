// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entry point of the `.neuro` front end: reads the main file, what it imports
// and the standard library, then elaborates and verifies the module.
#include "neuroc/Frontend/Lang/Lang.h"

#include "Elaborator.h"
#include "Parser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <cstdlib>

namespace neuroc {
using namespace lang;

static void anchor() {}

std::vector<std::string> defaultLibraryPaths() {
  std::vector<std::string> paths;
  if (auto env = llvm::sys::Process::GetEnv("NEUROC_LIBRARY_PATH")) {
    llvm::SmallVector<llvm::StringRef> parts;
    llvm::StringRef(*env).split(parts, ':', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef p : parts)
      paths.push_back(p.str());
  }
  std::string program = llvm::sys::fs::getMainExecutable(
      nullptr, reinterpret_cast<void *>(&anchor));
  llvm::SmallString<256> beside(llvm::sys::path::parent_path(program));
  llvm::sys::path::append(beside, "..", "share", "neuroc", "library");
  paths.push_back(std::string(beside));
  paths.push_back(NEUROC_LIBRARY_SOURCE_DIR);
  paths.push_back(NEUROC_LIBRARY_INSTALL_DIR);
  return paths;
}

namespace {

/// Reads files once each and keeps their trees alive.
class Loader {
public:
  Loader(Diag &diag, const LangOptions &options, Elaborator &elaborator)
      : diag(diag), options(options), elaborator(elaborator) {}

  void main(unsigned buffer) {
    const llvm::MemoryBuffer *text = diag.sourceMgr().getMemoryBuffer(buffer);
    load(*text, false);
  }

  /// All `.neuro` files of the first library folder that exists.
  void library() {
    if (!options.useLibrary)
      return;
    std::vector<std::string> paths = options.libraryPaths.empty()
                                         ? defaultLibraryPaths()
                                         : options.libraryPaths;
    for (const std::string &path : paths) {
      if (!llvm::sys::fs::is_directory(path))
        continue;
      std::error_code ec;
      std::vector<std::string> files;
      for (llvm::sys::fs::directory_iterator it(path, ec), end;
           it != end && !ec; it.increment(ec))
        if (llvm::StringRef(it->path()).ends_with(".neuro"))
          files.push_back(it->path());
      std::sort(files.begin(), files.end());
      if (files.empty())
        continue;
      for (const std::string &file : files)
        open(file, true);
      return;
    }
  }

  /// The place of a file named in the text: beside the file that names it, in
  /// the import folders, or as given.
  std::string find(llvm::StringRef name, SMLoc loc) {
    std::vector<std::string> tried;
    auto attempt = [&](llvm::StringRef folder) {
      llvm::SmallString<256> path(folder);
      llvm::sys::path::append(path, name);
      tried.push_back(std::string(path));
      return llvm::sys::fs::is_regular_file(path) ? std::string(path) : "";
    };
    if (!llvm::sys::path::is_absolute(name)) {
      unsigned buffer = diag.sourceMgr().FindBufferContainingLoc(loc);
      if (buffer) {
        llvm::StringRef own =
            diag.sourceMgr().getMemoryBuffer(buffer)->getBufferIdentifier();
        if (std::string p = attempt(llvm::sys::path::parent_path(own));
            !p.empty())
          return p;
      }
      for (const std::string &folder : options.importPaths)
        if (std::string p = attempt(folder); !p.empty())
          return p;
    } else if (std::string p = attempt(""); !p.empty()) {
      return p;
    }
    std::string list;
    for (const std::string &t : tried)
      list += (list.empty() ? "" : ", ") + t;
    diag.error(loc, "file '" + name + "' not found", "looked for " + list);
    return "";
  }

private:
  void load(const llvm::MemoryBuffer &text, bool isLibrary) {
    Parser parser(text.getBuffer(), diag);
    files.push_back(std::make_unique<File>(parser.parseFile()));
    const File &file = *files.back();
    for (const ImportDecl &import : file.imports) {
      std::string path = find(import.file, import.loc);
      if (!path.empty())
        open(path, isLibrary);
    }
    elaborator.add(file, isLibrary);
  }

  void open(const std::string &path, bool isLibrary) {
    llvm::SmallString<256> real;
    if (llvm::sys::fs::real_path(path, real))
      real = path;
    if (!seen.insert(std::string(real)).second)
      return;
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer) {
      diag.error({}, "cannot read '" + path +
                         "': " + buffer.getError().message());
      return;
    }
    unsigned id = diag.sourceMgr().AddNewSourceBuffer(std::move(*buffer), {});
    load(*diag.sourceMgr().getMemoryBuffer(id), isLibrary);
  }

  Diag &diag;
  const LangOptions &options;
  Elaborator &elaborator;
  std::vector<std::unique_ptr<File>> files;
  std::set<std::string> seen;
};

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> parseNeuro(llvm::SourceMgr &sources,
                                             mlir::MLIRContext &context,
                                             const LangOptions &options) {
  context.loadDialect<neuro::NeuroDialect, mlir::arith::ArithDialect,
                      mlir::math::MathDialect>();
  Diag diag(sources, context);
  unsigned mainBuffer = sources.getMainFileID();
  llvm::StringRef name =
      sources.getMemoryBuffer(mainBuffer)->getBufferIdentifier();
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(
      mlir::FileLineColLoc::get(&context, name, 1, 1));
  Elaborator elaborator(diag, options, *module);
  Loader loader(diag, options, elaborator);
  elaborator.findFile = [&](llvm::StringRef file, SMLoc loc) {
    return loader.find(file, loc);
  };
  loader.main(mainBuffer);
  if (diag.failed())
    return nullptr; // the library adds nothing to errors of syntax
  loader.library();
  if (diag.failed())
    return nullptr; // a library with errors of syntax
  elaborator.run();
  if (diag.failed())
    return nullptr;
  if (mlir::failed(mlir::verify(*module)))
    return nullptr;
  return module;
}

} // namespace neuroc
