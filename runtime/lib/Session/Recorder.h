// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The recorder stands between engine and results: it keeps every sample (in
// memory, or in files as they come) and, per probe, the running reductions of
// the present readout window.
#ifndef NEUROC_RUNTIME_LIB_SESSION_RECORDER_H
#define NEUROC_RUNTIME_LIB_SESSION_RECORDER_H

#include "neuroc/rt/Session.h"

#include <cstdio>

namespace neuroc::rt {

/// Reductions of one probe over the present window.
struct Window {
  std::vector<double> last, sum, max;
  uint64_t samples = 0;
  size_t first = 0;    ///< where its values begin in the record
  bool closed = false; ///< read: the next tick opens a new window
};

/// An .npy file that grows; its header is completed by finish().
class GrowingNpy {
public:
  GrowingNpy() = default;
  GrowingNpy(const GrowingNpy &) = delete;
  GrowingNpy &operator=(const GrowingNpy &) = delete;
  ~GrowingNpy();
  /// `inner`: the shape of one row. Errors: OutputError.
  Status open(const std::string &path, NpyType type,
              std::span<const int64_t> inner);
  void append(const void *bytes, size_t size, uint64_t rows);
  Status finish();

private:
  Status writeHeader();
  std::FILE *file = nullptr;
  std::string path;
  NpyType type = NpyType::Float64;
  std::vector<int64_t> inner;
  uint64_t rows = 0;
  bool bad = false;
};

class Recorder : public RecordSink {
public:
  Recorder(std::vector<ProbeRecord> &records, uint64_t limit);
  /// From now on samples go to files in `folder` (made if missing).
  Status toFiles(const std::string &folder);
  Status finishFiles();

  /// Something new is shown: windows begin here.
  void openWindows();
  /// Before ticks: windows that have been read begin anew.
  void reopenWindows();
  Window &window(size_t i) { return windows[i]; }
  bool overLimit() const { return stored > limit; }

  void spikes(unsigned probe, uint64_t tick,
              std::span<const uint32_t> units) override;
  void values(unsigned probe, uint64_t tick,
              std::span<const double> values) override;

private:
  void open(size_t i);
  struct Files {
    GrowingNpy ticks, data;
  };
  std::vector<ProbeRecord> &records;
  std::vector<Window> windows;
  std::vector<std::unique_ptr<Files>> files; ///< empty: in memory
  uint64_t limit, stored = 0;
};

} // namespace neuroc::rt
#endif // NEUROC_RUNTIME_LIB_SESSION_RECORDER_H
