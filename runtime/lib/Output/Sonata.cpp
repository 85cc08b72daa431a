// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Spikes as SONATA HDF5 (spike file, sections "magic", "version" and
// /spikes/<population>), through the HDF5 C library. Written under a temporary
// name and renamed.
#include "neuroc/rt/Output.h"

#include <hdf5.h>

#include <cstdio>
#include <unistd.h>

namespace neuroc::rt {

namespace {
/// An HDF5 identifier that is closed with its own function.
class Handle {
public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id(id), close(close) {}
  ~Handle() {
    if (id >= 0)
      close(id);
  }
  Handle(const Handle &) = delete;
  operator hid_t() const { return id; }

private:
  hid_t id;
  herr_t (*close)(hid_t);
};
} // namespace

static bool writeDataset(hid_t group, const char *name, hid_t type,
                         const void *data, size_t count) {
  hsize_t extent = count;
  Handle space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
  Handle set(H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                        H5P_DEFAULT),
             H5Dclose);
  return set >= 0 &&
         (count == 0 ||
          H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
}

static bool writeAttribute(hid_t object, const char *name, hid_t type,
                           const std::vector<hsize_t> &shape,
                           const void *data) {
  Handle space(shape.empty()
                   ? H5Screate(H5S_SCALAR)
                   : H5Screate_simple(int(shape.size()), shape.data(), nullptr),
               H5Sclose);
  Handle attribute(
      H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  return attribute >= 0 && H5Awrite(attribute, type, data) >= 0;
}

static bool writeText(hid_t object, const char *name, const std::string &text) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, text.size() + 1);
  return writeAttribute(object, name, type, {}, text.c_str());
}

/// by_time = 2, as the SONATA enumeration has it.
static bool writeSorting(hid_t group) {
  Handle type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose);
  int8_t none = 0, byId = 1, byTime = 2;
  H5Tenum_insert(type, "none", &none);
  H5Tenum_insert(type, "by_id", &byId);
  H5Tenum_insert(type, "by_time", &byTime);
  return writeAttribute(group, "sorting", type, {}, &byTime);
}

static bool writeProbe(hid_t spikes, const ProbeRecord &record, double dtMs) {
  Handle group(H5Gcreate2(spikes, record.info.name.c_str(), H5P_DEFAULT,
                          H5P_DEFAULT, H5P_DEFAULT),
               H5Gclose);
  if (group < 0 || !writeSorting(group))
    return false;
  std::vector<double> times;
  std::vector<uint64_t> ids(record.units.begin(), record.units.end());
  times.reserve(record.ticks.size());
  for (uint64_t tick : record.ticks)
    times.push_back(double(tick) * dtMs);
  if (!writeDataset(group, "timestamps", H5T_NATIVE_DOUBLE, times.data(),
                    times.size()) ||
      !writeDataset(group, "node_ids", H5T_NATIVE_UINT64, ids.data(),
                    ids.size()))
    return false;
  Handle set(H5Dopen2(group, "timestamps", H5P_DEFAULT), H5Dclose);
  return writeText(set, "units", "milliseconds");
}

Status writeSonata(const Results &results, const std::string &path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); // no printing from a library
  std::string temporary = path + ".tmp" + std::to_string(getpid());
  bool good = true;
  {
    Handle file(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT,
                          H5P_DEFAULT),
                H5Fclose);
    good = file >= 0;
    if (good) {
      uint32_t magic = 0x0A7A, version[2] = {0, 1};
      good &= writeAttribute(file, "magic", H5T_NATIVE_UINT32, {}, &magic);
      good &= writeAttribute(file, "version", H5T_NATIVE_UINT32, {2}, version);
      Handle spikes(
          H5Gcreate2(file, "spikes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          H5Gclose);
      for (const ProbeRecord &record : results.probes)
        if (record.info.isSpikes)
          good = good && writeProbe(spikes, record, results.dtMs);
    }
  }
  good = good && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    std::remove(temporary.c_str());
    return {Code::OutputError, path + ": cannot write the SONATA file"};
  }
  return Status::ok();
}

} // namespace neuroc::rt
