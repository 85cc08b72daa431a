// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns places in the source text into MLIR locations and errors into MLIR
// diagnostics, so that one handler prints those of all stages alike.
#include "Diag.h"

#include <functional>

namespace neuroc::lang {

mlir::Location Diag::location(llvm::SMLoc loc) const {
  std::function<mlir::Location(const Origin *)> place = [&](const Origin *o) {
    mlir::Location here = plain(o->loc);
    return o->outer ? mlir::Location(mlir::CallSiteLoc::get(here,
                                                            place(o->outer)))
                    : here;
  };
  mlir::Location l = plain(loc);
  return origin ? mlir::Location(mlir::CallSiteLoc::get(l, place(origin))) : l;
}

mlir::Location Diag::plain(llvm::SMLoc loc) const {
  unsigned buffer = loc.isValid() ? sources.FindBufferContainingLoc(loc) : 0;
  if (!buffer)
    return mlir::UnknownLoc::get(&context);
  auto [line, column] = sources.getLineAndColumn(loc, buffer);
  return mlir::FileLineColLoc::get(
      &context, sources.getMemoryBuffer(buffer)->getBufferIdentifier(), line,
      column);
}

void Diag::error(llvm::SMLoc loc, const llvm::Twine &message,
                 const llvm::Twine &help) {
  ++count;
  if (count > limit)
    return;
  mlir::InFlightDiagnostic diag = mlir::emitError(plain(loc), message);
  if (!help.isTriviallyEmpty()) {
    std::string text = help.str();
    if (!text.empty())
      diag.attachNote() << "help: " << text;
  }
  for (const Origin *o = origin; o; o = o->outer)
    diag.attachNote(plain(o->loc)) << o->text;
  if (count == limit)
    diag.attachNote() << "too many errors; further ones are not shown";
}

void Diag::note(llvm::SMLoc loc, const llvm::Twine &message) {
  if (count <= limit)
    mlir::emitRemark(plain(loc), message);
}

void Diag::warning(llvm::SMLoc loc, const llvm::Twine &message) {
  mlir::emitWarning(plain(loc), message);
}

void Diag::unknown(llvm::SMLoc loc, llvm::StringRef what, llvm::StringRef name,
                   const std::vector<std::string> &known) {
  if (name == "?") // stands for what has been reported (Circuits.h)
    return;
  // "state of 'E'" and 'u' become "unknown state 'u' of 'E'".
  auto [kind, owner] = what.split(" of ");
  std::string text = ("unknown " + kind + " '" + name + "'").str();
  if (!owner.empty())
    text += (" of " + owner).str();
  std::string near = nearest(name, known);
  if (!near.empty()) {
    error(loc, text + "; did you mean '" + near + "'?");
    return;
  }
  std::string list;
  for (const std::string &k : known) {
    if (list.size() > 200) {
      list += ", …";
      break;
    }
    list += (list.empty() ? "" : ", ") + k;
  }
  error(loc, text, list.empty() ? "" : "known here: " + list);
}

} // namespace neuroc::lang
