// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stores samples and keeps the windows of readouts. A window begins with the
// first tick of a run, with each present and stream, and with the first tick
// after it has been read.
#include "Recorder.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

namespace neuroc::rt {

GrowingNpy::~GrowingNpy() {
  if (file)
    std::fclose(file);
}

/// A header of fixed length, so that it can be written again at the end.
Status GrowingNpy::writeHeader() {
  constexpr size_t length = 256;
  Array empty;
  empty.shape = inner;
  empty.shape.insert(empty.shape.begin(), int64_t(rows));
  std::string text = writeNpy(empty, type);
  text.resize(std::min(text.size(), length) - 1); // without the newline
  text.append(length - 1 - text.size(), ' ');
  text += '\n';
  text[8] = char((length - 10) & 255);
  text[9] = char((length - 10) >> 8);
  if (std::fseek(file, 0, SEEK_SET) != 0 ||
      std::fwrite(text.data(), 1, length, file) != length)
    return {Code::OutputError, path + ": cannot write: " + std::strerror(errno)};
  return Status::ok();
}

Status GrowingNpy::open(const std::string &where, NpyType elementType,
                        std::span<const int64_t> rowShape) {
  path = where;
  type = elementType;
  inner.assign(rowShape.begin(), rowShape.end());
  file = std::fopen(path.c_str(), "wb");
  if (!file)
    return {Code::OutputError, path + ": cannot write: " + std::strerror(errno)};
  return writeHeader();
}

void GrowingNpy::append(const void *bytes, size_t size, uint64_t count) {
  bad |= std::fwrite(bytes, 1, size, file) != size;
  rows += count;
}

Status GrowingNpy::finish() {
  if (!file)
    return Status::ok();
  Status status = writeHeader();
  bad |= std::fclose(file) != 0;
  file = nullptr;
  if (status && bad)
    return {Code::OutputError, path + ": cannot write: " + std::strerror(errno)};
  return status;
}

Recorder::Recorder(std::vector<ProbeRecord> &records, uint64_t limit)
    : records(records), windows(records.size()), limit(limit) {
  for (size_t i = 0; i < records.size(); ++i) {
    windows[i].last.assign(records[i].size(), 0.0);
    open(i);
  }
}

Status Recorder::toFiles(const std::string &folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return {Code::OutputError,
            folder + ": cannot make the folder: " + error.message()};
  for (ProbeRecord &record : records) {
    std::string base = folder + "/" + fileNameOf(record.info.name);
    auto file = std::make_unique<Files>();
    record.onDisk = true;
    if (Status s = file->ticks.open(base + ".ticks.npy", NpyType::UInt64, {});
        !s)
      return s;
    Status s = record.info.isSpikes
                   ? file->data.open(base + ".units.npy", NpyType::UInt32, {})
                   : file->data.open(base + ".npy", NpyType::Float64,
                                     record.info.shape);
    if (!s)
      return s;
    files.push_back(std::move(file));
  }
  return Status::ok();
}

Status Recorder::finishFiles() {
  Status first;
  for (auto &file : files)
    for (GrowingNpy *npy : {&file->ticks, &file->data})
      if (Status status = npy->finish(); !status && first)
        first = status;
  return first;
}

void Recorder::open(size_t i) {
  Window &w = windows[i];
  size_t n = w.last.size();
  w.sum.assign(n, 0.0);
  w.max.assign(n, records[i].info.isSpikes
                      ? 0.0
                      : -std::numeric_limits<double>::infinity());
  w.samples = 0;
  w.first = records[i].values.size();
  w.closed = false;
}

void Recorder::openWindows() {
  for (size_t i = 0; i < windows.size(); ++i)
    open(i);
}

void Recorder::reopenWindows() {
  for (size_t i = 0; i < windows.size(); ++i)
    if (windows[i].closed)
      open(i);
}

void Recorder::spikes(unsigned probe, uint64_t tick,
                      std::span<const uint32_t> units) {
  if (probe >= records.size())
    return;
  ProbeRecord &record = records[probe];
  Window &w = windows[probe];
  std::fill(w.last.begin(), w.last.end(), 0.0);
  ++w.samples;
  for (uint32_t unit : units) {
    if (unit >= w.last.size())
      continue;
    w.last[unit] = 1;
    w.sum[unit] += 1;
    w.max[unit] = 1;
    ++record.samples;
    if (!files.empty()) {
      files[probe]->ticks.append(&tick, sizeof tick, 1);
      files[probe]->data.append(&unit, sizeof unit, 1);
      continue;
    }
    record.ticks.push_back(tick);
    record.units.push_back(unit);
    stored += 12;
  }
}

void Recorder::values(unsigned probe, uint64_t tick,
                      std::span<const double> values) {
  if (probe >= records.size())
    return;
  ProbeRecord &record = records[probe];
  Window &w = windows[probe];
  size_t n = std::min(values.size(), w.last.size());
  ++w.samples;
  ++record.samples;
  for (size_t i = 0; i < n; ++i) {
    w.last[i] = values[i];
    w.sum[i] += values[i];
    w.max[i] = std::max(w.max[i], values[i]);
  }
  if (!files.empty()) {
    files[probe]->ticks.append(&tick, sizeof tick, 1);
    files[probe]->data.append(w.last.data(), w.last.size() * sizeof(double), 1);
    return;
  }
  record.ticks.push_back(tick);
  record.values.insert(record.values.end(), w.last.begin(), w.last.end());
  stored += 8 * w.last.size();
}

} // namespace neuroc::rt
