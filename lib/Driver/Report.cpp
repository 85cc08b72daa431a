// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The report folder: summary.txt (what the terminal showed), report.json (the
// numbers) and index.html, one page that needs no network: the summary, and
// the JSON as nested tables.
#include "Commands.h"

#include "llvm/Support/FileSystem.h"

namespace json = llvm::json;

namespace neuroc::driver {

static std::string escape(llvm::StringRef text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

static std::string scalar(const json::Value &value) {
  if (auto text = value.getAsString())
    return escape(*text);
  if (auto number = value.getAsNumber())
    return formatNumber(*number, 8);
  if (auto flag = value.getAsBoolean())
    return *flag ? "yes" : "no";
  return "–";
}

static void render(const json::Value &value, std::string &out, int depth) {
  if (depth > 12)
    return;
  if (const json::Object *object = value.getAsObject()) {
    out += "<table>";
    std::vector<std::string> keys;
    for (const auto &member : *object)
      keys.push_back(member.first.str());
    llvm::sort(keys);
    for (const std::string &key : keys) {
      out += "<tr><th>" + escape(key) + "</th><td>";
      render(*object->get(key), out, depth + 1);
      out += "</td></tr>";
    }
    out += "</table>";
    return;
  }
  if (const json::Array *array = value.getAsArray()) {
    // Long lists of numbers are left to report.json.
    size_t shown = std::min<size_t>(array->size(), 200);
    for (size_t i = 0; i < shown; ++i) {
      render((*array)[i], out, depth + 1);
      if (!(*array)[i].getAsObject() && i + 1 < shown)
        out += ", ";
    }
    if (shown < array->size())
      out += " … (" + std::to_string(array->size()) + " in all)";
    return;
  }
  out += scalar(value);
}

Failure writeReport(const std::string &folder, const Report &report) {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return {Nc::CannotWrite,
            folder + ": cannot make the folder: " + error.message()};
  std::string page =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" +
      escape(report.title) +
      "</title><style>body{font:15px/1.5 sans-serif;max-width:72em;margin:2em "
      "auto;padding:0 1em}pre{background:#f4f4f4;padding:1em;overflow:auto}"
      "table{border-collapse:collapse;margin:.2em 0 .6em}th,td{border:1px "
      "solid #ccc;padding:.2em .6em;text-align:left;vertical-align:top;"
      "font-weight:normal}th{background:#f4f4f4}</style><h1>" +
      escape(report.title) + "</h1><pre>" + escape(report.text) +
      "</pre><p>Energies and cycles come from machine models, not from "
      "measurements.</p><h2>All numbers</h2>";
  render(report.data, page, 0);
  page += "</html>\n";
  std::string text = report.title + "\n\n" + report.text;
  std::string data;
  llvm::raw_string_ostream(data) << llvm::formatv("{0:2}\n", report.data);
  const std::pair<const char *, const std::string *> files[] = {
      {"/index.html", &page}, {"/summary.txt", &text}, {"/report.json", &data}};
  for (const auto &[name, bytes] : files)
    if (rt::Status s = rt::writeFileAtomically(folder + name, *bytes); !s)
      return Failure(s);
  return {};
}

} // namespace neuroc::driver
