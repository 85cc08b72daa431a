// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface: handles around container, engine and session. No exception
// leaves a function; running out of memory becomes NEUROC_RT_INTERNAL.
#include "neuroc/rt/neuroc_rt.h"

#include "neuroc/rt/Engine.h"
#include "neuroc/rt/Output.h"
#include "neuroc/rt/Session.h"
#include "neuroc/rt/Text.h"

#include <cstring>
#include <new>

using namespace neuroc::rt;

struct neuroc_rt_program {
  std::shared_ptr<const Container> container;
  std::string manifest;
};

struct neuroc_rt_run {
  std::shared_ptr<const Container> container;
  EngineOptions engineOptions;
  SessionOptions sessionOptions;
  Results results;
  std::string stats;
};

static int report(const Status &status, neuroc_rt_error *error) {
  if (error && error->struct_size >= sizeof(neuroc_rt_error)) {
    std::strncpy(error->message, status.message().c_str(),
                 sizeof error->message - 1);
    error->message[sizeof error->message - 1] = 0;
  }
  return int(status.code());
}

/// Calls `body`, which returns a Status, and turns exceptions into one.
template <typename Fn> static int guard(neuroc_rt_error *error, Fn body) {
  try {
    return report(body(), error);
  } catch (const std::bad_alloc &) {
    return report({Code::Internal, "out of memory"}, error);
  } catch (const std::exception &problem) {
    return report({Code::Internal, problem.what()}, error);
  }
}

uint32_t neuroc_rt_version(void) { return NEUROC_RT_VERSION; }

static int finishLoad(const Status &status,
                      std::shared_ptr<const Container> container,
                      neuroc_rt_program **program, neuroc_rt_error *error) {
  return guard(error, [&] {
    if (!status)
      return status;
    *program = new neuroc_rt_program{
        container, std::string(container->manifest())};
    return Status::ok();
  });
}

int neuroc_rt_load(const char *path, neuroc_rt_program **program,
                   neuroc_rt_error *error) {
  std::shared_ptr<const Container> container;
  Status status;
  int code = guard(error, [&] {
    status = path && program ? Container::open(path, container)
                             : Status(Code::UsageError, "null argument");
    return status;
  });
  return code ? code : finishLoad(status, container, program, error);
}

int neuroc_rt_load_memory(const void *bytes, size_t size,
                          neuroc_rt_program **program, neuroc_rt_error *error) {
  std::shared_ptr<const Container> container;
  Status status;
  int code = guard(error, [&] {
    status = bytes && program
                 ? Container::read(
                       {static_cast<const uint8_t *>(bytes), size}, "memory",
                       container)
                 : Status(Code::UsageError, "null argument");
    return status;
  });
  return code ? code : finishLoad(status, container, program, error);
}

void neuroc_rt_program_destroy(neuroc_rt_program *program) { delete program; }

const char *neuroc_rt_program_target(const neuroc_rt_program *program) {
  return program ? program->container->target().c_str() : "";
}

const char *neuroc_rt_program_manifest(const neuroc_rt_program *program) {
  return program ? program->manifest.c_str() : "";
}

int neuroc_rt_run_create(const neuroc_rt_program *program,
                         const neuroc_rt_options *options, neuroc_rt_run **run,
                         neuroc_rt_error *error) {
  return guard(error, [&] {
    if (!program || !run)
      return Status(Code::UsageError, "null argument");
    auto result = std::make_unique<neuroc_rt_run>();
    result->container = program->container;
    if (options) {
      if (options->struct_size < sizeof(neuroc_rt_options))
        return Status(Code::UsageError, "neuroc_rt_options: struct_size is " +
                                            std::to_string(
                                                options->struct_size));
      result->engineOptions.threads = std::max(1u, options->threads);
      result->engineOptions.seed = options->seed;
      if (options->ticks)
        result->sessionOptions.ticks = options->ticks;
    }
    *run = result.release();
    return Status::ok();
  });
}

void neuroc_rt_run_destroy(neuroc_rt_run *run) { delete run; }

int neuroc_rt_run_set_input(neuroc_rt_run *run, const char *name,
                            const double *values, const int64_t *shape,
                            uint32_t rank, neuroc_rt_error *error) {
  return guard(error, [&] {
    if (!run || !name || !values || (rank && !shape) || rank > 8)
      return Status(Code::UsageError, "null argument, or rank above 8");
    Array array;
    uint64_t count = 1;
    for (uint32_t i = 0; i < rank; ++i) {
      if (shape[i] < 0 || (shape[i] > 0 && count > (uint64_t(1) << 40) /
                                                       uint64_t(shape[i])))
        return Status(Code::UsageError, "input '" + std::string(name) +
                                            "': the shape is not usable");
      count *= uint64_t(shape[i]);
      array.shape.push_back(shape[i]);
    }
    array.values.assign(values, values + count);
    run->sessionOptions.inputs[name] = std::move(array);
    return Status::ok();
  });
}

int neuroc_rt_run_execute(neuroc_rt_run *run, neuroc_rt_error *error) {
  return guard(error, [&] {
    if (!run)
      return Status(Code::UsageError, "null argument");
    run->stats.clear();
    run->results = Results();
    std::unique_ptr<Engine> engine;
    if (Status s = createEngine(run->container, run->engineOptions, engine); !s)
      return s;
    std::unique_ptr<Session> session;
    if (Status s = Session::create(*run->container, *engine,
                                   run->sessionOptions, session);
        !s)
      return s;
    if (Status s = session->run(run->results); !s)
      return s;
    std::vector<Judgement> judgements;
    if (!run->sessionOptions.ticks)
      judgements = judge(session->manifest().experiment, run->results,
                         session->datasets(), nullptr);
    run->stats = statsJson(run->results, session->manifest(), judgements);
    return Status::ok();
  });
}

const char *neuroc_rt_run_stats(const neuroc_rt_run *run) {
  return run ? run->stats.c_str() : "";
}

uint32_t neuroc_rt_run_probe_count(const neuroc_rt_run *run) {
  return run ? uint32_t(run->results.probes.size()) : 0;
}

int neuroc_rt_run_probe(const neuroc_rt_run *run, uint32_t index,
                        neuroc_rt_recording *recording,
                        neuroc_rt_error *error) {
  return guard(error, [&] {
    if (!run || !recording || recording->struct_size < sizeof *recording)
      return Status(Code::UsageError,
                    "null argument, or neuroc_rt_recording of another size");
    if (index >= run->results.probes.size())
      return Status(Code::UsageError,
                    "no probe " + std::to_string(index) + ", there are " +
                        std::to_string(run->results.probes.size()));
    const ProbeRecord &record = run->results.probes[index];
    recording->is_spikes = record.info.isSpikes;
    recording->name = record.info.name.c_str();
    recording->count = record.ticks.size();
    recording->units = record.size();
    recording->ticks = record.ticks.data();
    recording->spike_units =
        record.info.isSpikes ? record.units.data() : nullptr;
    recording->values = record.info.isSpikes ? nullptr : record.values.data();
    return Status::ok();
  });
}

int neuroc_rt_run_table(const neuroc_rt_run *run, const char *name,
                        const double **values, int64_t *rows, int64_t *columns,
                        neuroc_rt_error *error) {
  return guard(error, [&] {
    if (!run || !name || !values || !rows || !columns)
      return Status(Code::UsageError, "null argument");
    auto it = run->results.tables.find(name);
    if (it == run->results.tables.end()) {
      std::vector<std::string> known;
      for (const auto &[key, table] : run->results.tables)
        known.push_back(key);
      return Status(Code::UsageError, "no result table '" + std::string(name) +
                                          "'" + suggestName(name, known));
    }
    *values = it->second.values.data();
    *rows = it->second.rows();
    *columns = it->second.rowSize();
    return Status::ok();
  });
}
