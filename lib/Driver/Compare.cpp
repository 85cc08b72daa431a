// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `neuroc compare`: the same experiment on the reference and on each target;
// one table with result, divergence, cycles, time and energy, then every
// expectation with its bounds.
#include "Commands.h"

#include "llvm/Support/Format.h"

#include <cmath>

namespace json = llvm::json;

namespace neuroc::driver {

void TextTable::print(llvm::raw_ostream &out) const {
  // Width in characters, not bytes: names may hold µ, Δ and the like.
  auto width = [](const std::string &text) {
    return size_t(llvm::count_if(
        text, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
  };
  std::vector<size_t> widths;
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i)
        widths.push_back(0);
      widths[i] = std::max(widths[i], width(row[i]));
    }
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < rows[r].size(); ++i) {
      out << rows[r][i];
      if (i + 1 < rows[r].size())
        out.indent(unsigned(widths[i] - width(rows[r][i]) + 2));
    }
    out << "\n";
    if (r == 0) {
      size_t total = 0;
      for (size_t w : widths)
        total += w + 2;
      out << std::string(total - 2, '-') << "\n";
    }
  }
}

//===----------------------------------------------------------------------===//
// Divergence
//===----------------------------------------------------------------------===//

namespace {
struct ArrayDifference {
  double largest = 0, squares = 0, scale = 0;
  uint64_t count = 0;
  void add(std::span<const double> a, std::span<const double> b) {
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      double d = std::abs(a[i] - b[i]);
      largest = d > largest || std::isnan(d) ? d : largest;
      squares += d * d;
      scale = std::max(scale, std::abs(b[i]));
      ++count;
    }
  }
  double rms() const { return count ? std::sqrt(squares / double(count)) : 0; }
};
} // namespace

static json::Object spikeDivergence(const rt::ProbeRecord &mine,
                                    const rt::ProbeRecord &theirs,
                                    const rt::Results &results,
                                    std::string &summary) {
  uint64_t same = rt::firstDifferentTick(mine, theirs, results.ticks);
  double rate = rt::meanRateHz(mine, results.dtMs, 0, results.ticks);
  double other = rt::meanRateHz(theirs, results.dtMs, 0, results.ticks);
  if (same >= results.ticks)
    summary = "same spikes";
  else {
    summary = "same spikes " + formatUnit(double(same) * results.dtMs * 1e-3,
                                          "s");
    if (other > 0) {
      char text[32];
      std::snprintf(text, sizeof text, ", rate %+.1f %%",
                    (rate / other - 1) * 100);
      summary += text;
    }
  }
  return json::Object{{"name", mine.info.name},
          {"equal_until_ms", double(same) * results.dtMs},
          {"rate_hz", rate},
          {"reference_rate_hz", other},
          {"cv_isi", rt::meanCvIsi(mine, 0, results.ticks)},
          {"reference_cv_isi", rt::meanCvIsi(theirs, 0, results.ticks)}};
}

Divergence measureDivergence(const Run &run, const Run &reference) {
  Divergence result;
  json::Array probes, tables;
  ArrayDifference all;
  std::string spikes;
  for (size_t i = 0; i < run.results.probes.size() &&
                     i < reference.results.probes.size();
       ++i) {
    const rt::ProbeRecord &mine = run.results.probes[i];
    const rt::ProbeRecord &theirs = reference.results.probes[i];
    if (mine.info.isSpikes) {
      std::string text;
      probes.push_back(spikeDivergence(mine, theirs, run.results, text));
      // The first probe stands for the run, unless a later one diverges.
      if (spikes.empty() || spikes == "same spikes")
        spikes = text;
      continue;
    }
    ArrayDifference d;
    d.add(mine.values, theirs.values);
    probes.push_back(json::Object{{"name", mine.info.name},
                                  {"max_abs", d.largest},
                                  {"rms", d.rms()},
                                  {"scale", d.scale}});
    all.add(mine.values, theirs.values);
  }
  for (const auto &[name, table] : run.results.tables) {
    auto it = reference.results.tables.find(name);
    if (it == reference.results.tables.end())
      continue;
    ArrayDifference d;
    d.add(table.values, it->second.values);
    tables.push_back(json::Object{{"name", name},
                                  {"max_abs", d.largest},
                                  {"rms", d.rms()},
                                  {"scale", d.scale}});
    all.add(table.values, it->second.values);
  }
  std::string values = "max " + formatNumber(all.largest, 2) + ", rms " +
                       formatNumber(all.rms(), 2);
  result.summary = spikes;
  if (all.count && spikes.empty())
    result.summary = all.largest == 0 ? "none" : values;
  else if (all.count && all.largest != 0)
    result.summary += "; values " + values;
  if (result.summary.empty())
    result.summary = "nothing recorded";
  result.details["probes"] = std::move(probes);
  result.details["tables"] = std::move(tables);
  return result;
}

//===----------------------------------------------------------------------===//
// The verb
//===----------------------------------------------------------------------===//

namespace {
/// A column of the comparison: a target, perhaps with other numbers than its
/// usual ones. "cpu-f64" is the cpu target with --precision=f64.
struct Column {
  std::string label, target, precision;
};

/// One cell of the comparison: a model on a target.
struct Outcome {
  std::string model, target; ///< target: the column's label
  Run run;
  Failure failure; ///< compilation or run
  std::vector<rt::Judgement> judgements;
  Divergence divergence;
};

class Comparison {
public:
  explicit Comparison(const Options &options) : options(options) {}
  Failure run();

private:
  Failure addColumn(llvm::StringRef label, std::vector<Column> &columns) const;
  Failure runModel(const std::string &path);
  Failure columnsOf(Model &model, std::vector<Column> &columns) const;
  void printTable(llvm::raw_ostream &out) const;
  void printJudgements(llvm::raw_ostream &out) const;
  json::Value toJson() const;

  const Options &options;
  std::vector<Column> common; ///< of all models
  std::vector<Outcome> outcomes;
};
} // namespace

/// "accuracy = 0.969": the first expectations of the model, as its result.
static std::string resultCell(const Outcome &outcome) {
  std::string text;
  int shown = 0;
  std::vector<std::string> seen;
  for (const rt::Judgement &j : outcome.judgements) {
    if (!j.value || shown == 2 || llvm::is_contained(seen, j.name))
      continue;
    seen.push_back(j.name);
    text += (text.empty() ? "" : ", ") + j.name + " " +
            formatNumber(*j.value, 4);
    ++shown;
  }
  if (!text.empty())
    return text;
  uint64_t spikes = 0;
  for (const rt::ProbeRecord &record : outcome.run.results.probes)
    spikes += record.units.size();
  return spikes ? std::to_string(spikes) + " spikes"
                : std::to_string(outcome.run.results.ticks) + " ticks";
}

static std::string verdictCell(const Outcome &outcome) {
  unsigned broken = 0, judged = 0;
  for (const rt::Judgement &j : outcome.judgements) {
    broken += j.outcome == rt::Judgement::Outcome::Failed;
    judged += j.outcome != rt::Judgement::Outcome::NotJudged;
  }
  if (judged == 0)
    return "-";
  return broken ? std::to_string(broken) + " of " + std::to_string(judged) +
                      " BROKEN"
                : std::to_string(judged) + " ok";
}

static std::string statCell(const Outcome &outcome, const char *key,
                            const char *unit) {
  auto it = outcome.run.results.stats.find(key);
  if (it == outcome.run.results.stats.end())
    return "-";
  return *unit ? formatUnit(it->second, unit) : formatNumber(it->second, 4);
}

void Comparison::printTable(llvm::raw_ostream &out) const {
  TextTable table;
  table.row({"model", "machine", "result", "divergence from reference",
             "cycles", "wall", "energy", "bounds"});
  for (const Outcome &o : outcomes) {
    if (o.failure) {
      table.row({o.model, o.target,
                 "FAILED [" + codeName(o.failure.code()) + "]", "-", "-", "-",
                 "-", "-"});
      continue;
    }
    table.row({o.model, o.target, resultCell(o),
               o.target == "reference" ? "-" : o.divergence.summary,
               statCell(o, "cycles", ""),
               formatUnit(o.run.results.wallSeconds, "s"),
               statCell(o, "energy_j", "J"), verdictCell(o)});
  }
  table.print(out);
}

void Comparison::printJudgements(llvm::raw_ostream &out) const {
  for (const Outcome &o : outcomes)
    for (const std::string &warning : statWarnings(o.run.results.stats))
      out << "warning: " << o.model << " on " << o.target << ": " << warning
          << "\n";
  for (const Outcome &o : outcomes)
    for (const rt::Judgement &j : o.judgements) {
      if (j.outcome == rt::Judgement::Outcome::Passed && !options.verbose)
        continue;
      if (j.outcome == rt::Judgement::Outcome::NotJudged && !options.verbose)
        continue;
      const char *words[] = {"ok", "BROKEN", "open"};
      out << words[int(j.outcome)] << ": " << o.model << " on " << o.target
          << ": " << j.name;
      if (j.value)
        out << " = " << formatNumber(*j.value, 6);
      if (j.min)
        out << ", at least " << formatNumber(*j.min, 6);
      if (j.max)
        out << ", at most " << formatNumber(*j.max, 6);
      if (!j.why.empty())
        out << " (" << j.why << ")";
      out << "\n";
    }
}

static json::Value numberOrNull(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

json::Value Comparison::toJson() const {
  json::Array list;
  for (const Outcome &o : outcomes) {
    json::Object object{{"model", o.model}, {"target", o.target}};
    if (o.failure) {
      object["error"] = json::fixUTF8(o.failure.message());
      object["code"] = codeName(o.failure.code());
      list.push_back(std::move(object));
      continue;
    }
    json::Object stats;
    for (const auto &[key, value] : o.run.results.stats)
      stats[key] = numberOrNull(value);
    json::Array judgements;
    for (const rt::Judgement &j : o.judgements) {
      const char *words[] = {"passed", "failed", "not judged"};
      json::Object judgement{{"name", j.name},
                             {"outcome", words[int(j.outcome)]}};
      if (j.value)
        judgement["value"] = numberOrNull(*j.value);
      if (j.min)
        judgement["min"] = *j.min;
      if (j.max)
        judgement["max"] = *j.max;
      if (!j.why.empty())
        judgement["why"] = j.why;
      judgements.push_back(std::move(judgement));
    }
    object["ticks"] = int64_t(o.run.results.ticks);
    object["wall_s"] = o.run.results.wallSeconds;
    object["compile_s"] = o.run.compileSeconds;
    object["stats"] = std::move(stats);
    object["expectations"] = std::move(judgements);
    if (o.target != "reference")
      object["divergence"] = json::Object(o.divergence.details);
    list.push_back(std::move(object));
  }
  return json::Object{{"schema", "neuroc-compare"},
                      {"version", 1},
                      {"runs", std::move(list)}};
}

Failure Comparison::addColumn(llvm::StringRef label,
                              std::vector<Column> &columns) const {
  Column column{label.str(), label.str(), options.precision};
  for (llvm::StringRef precision : {"f64", "f32"})
    if (label.ends_with(("-" + precision).str())) {
      column.target = label.drop_back(precision.size() + 1).str();
      column.precision = precision.str();
    }
  const Target *target = nullptr;
  if (Failure f = checkTarget(column.target, true, target))
    return f;
  if (!llvm::any_of(columns, [&](const Column &c) { return c.label == label; }))
    columns.push_back(std::move(column));
  return {};
}

/// The columns of one model: those of all, and (unless the user chose) those
/// that its expectations name beyond the plain targets.
Failure Comparison::columnsOf(Model &model, std::vector<Column> &columns) const {
  columns = common;
  if (!options.targets.empty())
    return {};
  Failure failure;
  model.module()->walk([&](neuro::ExpectOp expect) {
    if (auto targets = expect.getTargets())
      for (llvm::StringRef label :
           targets->getAsValueRange<mlir::StringAttr>())
        if (label.ends_with("-f64") && !failure)
          failure = addColumn(label, columns);
  });
  return failure;
}

Failure Comparison::runModel(const std::string &path) {
  std::unique_ptr<Model> model;
  if (Failure f = Model::load(path, options, model))
    return f;
  std::vector<Column> columns;
  if (Failure f = columnsOf(*model, columns))
    return f;
  size_t first = outcomes.size();
  for (const Column &column : columns) {
    Outcome &o = outcomes.emplace_back();
    o.model = model->stem();
    o.target = column.label;
    if (options.verbose)
      llvm::errs() << o.model << " on " << column.label << " …\n";
    Options mine = options;
    mine.verbose = false; // one line for each run is enough here
    mine.precision = column.precision;
    // The machine is meant for those targets that have it (see run()).
    if (checkMachine(findTarget(column.target), mine.machine))
      mine.machine.clear();
    o.failure = compileAndRun(*model, mine, column.target, o.run);
    o.run.results.target = column.label;
    if (o.failure) {
      o.failure.print(llvm::errs());
      // Without a reference there is nothing to compare with.
      if (column.target == "reference")
        return o.failure;
    }
  }
  // References into `outcomes` are stable from here on.
  const Outcome &reference = outcomes[first];
  for (size_t i = first; i < outcomes.size(); ++i) {
    Outcome &o = outcomes[i];
    if (o.failure)
      continue;
    if (!options.ticks && options.time.empty())
      o.judgements = rt::judge(o.run.manifest.experiment, o.run.results,
                               o.run.datasets, &reference.run.results);
    o.divergence = measureDivergence(o.run, reference.run);
  }
  return {};
}

Failure Comparison::run() {
  if (Failure f = addColumn("reference", common))
    return f;
  if (options.targets.empty())
    for (const auto &target : allTargets())
      if (Failure f = addColumn(target->name(), common))
        return f;
  for (const std::string &label : options.targets)
    if (Failure f = addColumn(label, common))
      return f;
  // Some target must know the machine that is asked for.
  Failure unknown;
  bool known = options.machine.empty();
  for (const Column &column : common)
    if (const Target *target = findTarget(column.target)) {
      unknown = checkMachine(target, options.machine);
      known |= !unknown;
    }
  if (!known)
    return unknown;
  for (const std::string &path : options.operands)
    if (Failure f = runModel(path))
      return f;
  std::string text;
  {
    llvm::raw_string_ostream out(text);
    printTable(out);
    printJudgements(out);
  }
  json::Value data = toJson();
  if (options.json)
    llvm::outs() << llvm::formatv("{0:2}\n", data);
  else
    llvm::outs() << text;
  llvm::outs().flush();
  if (!options.reportFolder.empty())
    if (Failure f = writeReport(options.reportFolder,
                                {"neuroc compare", text, std::move(data)}))
      return f;
  // A run that failed outweighs a broken bound.
  for (const Outcome &o : outcomes)
    if (o.failure)
      return o.failure;
  for (const Outcome &o : outcomes)
    for (const rt::Judgement &j : o.judgements)
      if (j.outcome == rt::Judgement::Outcome::Failed)
        return {Nc::CheckFailed, "expectations are broken"};
  return {};
}

Failure compareCommand(const Options &options) {
  return Comparison(options).run();
}

} // namespace neuroc::driver
