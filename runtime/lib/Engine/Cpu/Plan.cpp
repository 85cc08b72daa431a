// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the plan. Names of buffers and functions become indices here, once;
// whatever the engine later does with a buffer (units of a signal, values of a
// weight) is checked here against the buffer's extent and element type.

#include "Plan.h"

#include "neuroc/rt/Json.h"

#include <unordered_map>

namespace neuroc::rt::cpu {

namespace {

class Reader {
public:
  Reader(const Container &container, Plan &plan, Status &status)
      : container(container), plan(plan), status(status) {}

  void read(const JsonReader &program);

private:
  uint32_t index(const std::unordered_map<std::string, uint32_t> &table,
                 const JsonReader &name, const char *what) {
    auto it = table.find(name.string());
    if (it != table.end())
      return it->second;
    name.error(std::string("no ") + what + " of that name");
    return kNone;
  }
  /// A buffer of at least `count` elements of one of two types.
  uint32_t buffer(const JsonReader &name, uint64_t count, Element element,
                  Element other) {
    uint32_t result = index(bufferIndex, name, "buffer");
    if (result == kNone)
      return kNone;
    const BufferPlan &plan = this->plan.buffers[result];
    if (plan.count < count ||
        (plan.element != element && plan.element != other)) {
      name.error("the buffer has " + std::to_string(plan.count) +
                 " elements or another type; " + std::to_string(count) +
                 " are needed");
      return kNone;
    }
    return result;
  }
  uint32_t buffer(const JsonReader &name, uint64_t count, Element element) {
    return buffer(name, count, element, element);
  }
  uint32_t function(const JsonReader &name) {
    return index(functionIndex, name, "function");
  }
  uint32_t functionOf(const JsonReader &entry, const char *key) {
    return entry.has(key) ? function(entry.at(key)) : kNone;
  }
  std::vector<uint32_t> functionsOf(const JsonReader &entry, const char *key) {
    std::vector<uint32_t> result;
    JsonReader list = entry.at(key);
    for (size_t i = 0; i < list.size() && status; ++i)
      result.push_back(function(list[i]));
    return result;
  }
  uint32_t signal(const JsonReader &number) {
    uint64_t value = number.natural();
    if (value < plan.signals.size())
      return value;
    number.error("there are " + std::to_string(plan.signals.size()) +
                 " signals");
    return kNone;
  }
  uint64_t delayOf(const JsonReader &number, uint32_t signal,
                   uint64_t more = 0) {
    uint64_t delay = number.natural(UINT32_MAX);
    if (signal != kNone && delay + more >= plan.signals[signal].depth)
      number.error("the signal's ring is shorter than the delay");
    return delay;
  }
  void checkLanes(const JsonReader &number, uint64_t units) {
    if (units % plan.batch != 0)
      number.error("must be a multiple of the batch, " +
                   std::to_string(plan.batch));
  }
  Element real() const { return plan.isDouble ? Element::F64 : Element::F32; }

  void readBuffers(const JsonReader &list);
  void readSignals(const JsonReader &list);
  void readSources(const JsonReader &program);
  void readWeights(const JsonReader &list);
  void readPopulations(const JsonReader &list);
  void readItems(const JsonReader &list);
  void readPlastics(const JsonReader &list);
  void readRecorders(const JsonReader &list);
  void readRun(const JsonReader &entry);
  bool readEvents(const JsonReader &entry, const char *prefix,
                  EventsPlan &events);

  const Container &container;
  Plan &plan;
  Status &status;
  std::unordered_map<std::string, uint32_t> bufferIndex, functionIndex;
};

void Reader::readBuffers(const JsonReader &list) {
  static const std::pair<const char *, Element> names[] = {
      {"f32", Element::F32}, {"f64", Element::F64}, {"i8", Element::I8},
      {"i16", Element::I16}, {"i32", Element::I32}, {"i64", Element::I64}};
  uint64_t dataSize = container.bytes("cpu/data.bin").size();
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    BufferPlan buffer;
    buffer.name = entry.at("name").string();
    std::string type = entry.at("type").string();
    bool known = false;
    for (auto &[name, element] : names)
      if (type == name) {
        buffer.element = element;
        known = true;
      }
    if (!known)
      entry.at("type").error("unknown element type '" + type + "'");
    buffer.count = entry.at("count").natural(uint64_t(1) << 40);
    buffer.isFilled = entry.has("fill");
    if (buffer.isFilled) {
      buffer.fill = entry.at("fill").number();
    } else {
      buffer.offset = entry.at("offset").natural();
      if (buffer.offset > dataSize || buffer.bytes() > dataSize - buffer.offset)
        entry.error("initial contents end after the member cpu/data.bin");
    }
    bufferIndex[buffer.name] = plan.buffers.size();
    plan.buffers.push_back(std::move(buffer));
  }
}

void Reader::readSignals(const JsonReader &list) {
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    SignalPlan signal;
    signal.name = entry.at("name").string();
    signal.units = entry.at("units").natural(UINT32_MAX);
    checkLanes(entry.at("units"), signal.units);
    signal.depth = entry.at("depth").natural(UINT32_MAX);
    signal.shape = entry.at("shape").integers(0);
    signal.isSpikes = entry.at("spikes").boolean();
    signal.isPopulation = entry.boolean("population", false);
    if (signal.depth == 0)
      entry.at("depth").error("must be at least 1");
    uint32_t number = index(bufferIndex, entry.at("buffer"), "buffer");
    if (number == kNone)
      return;
    const BufferPlan &buffer = plan.buffers[number];
    if (buffer.count < signal.units * signal.depth ||
        (signal.isSpikes && buffer.element != Element::I8))
      entry.error("the buffer does not suit the signal");
    signal.buffer = number;
    plan.signals.push_back(std::move(signal));
  }
}

void Reader::readSources(const JsonReader &program) {
  JsonReader stimuli = program.at("stimuli");
  for (size_t i = 0; i < stimuli.size() && status; ++i) {
    JsonReader entry = stimuli[i];
    SourcePlan source;
    source.name = entry.at("name").string();
    source.signal = signal(entry.at("signal"));
    if (source.signal == kNone)
      return;
    const SignalPlan &signal = plan.signals[source.signal];
    Element element = plan.buffers[signal.buffer].element;
    if (!signal.isSpikes && element != Element::F32 && element != Element::F64)
      entry.error("a stimulus is of spikes or real numbers");
    source.buffer = buffer(entry.at("buffer"), signal.units, Element::F64);
    plan.stimuli.push_back(source);
  }
  JsonReader arrays = program.at("spike_arrays");
  for (size_t i = 0; i < arrays.size() && status; ++i) {
    JsonReader entry = arrays[i];
    SourcePlan source;
    source.name = entry.at("name").string();
    source.signal = signal(entry.at("signal"));
    source.count = entry.at("count").natural(UINT32_MAX);
    source.buffer = buffer(entry.at("buffer"), source.count * 2, Element::I64);
    if (source.signal != kNone && !plan.signals[source.signal].isSpikes)
      entry.error("a spike array gives spikes");
    plan.spikeArrays.push_back(source);
  }
}

void Reader::readWeights(const JsonReader &list) {
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    WeightPlan weight;
    weight.name = entry.at("name").string();
    weight.isMatrix = entry.at("layout").string() == "matrix";
    weight.pre = entry.at("pre").natural(UINT32_MAX);
    weight.post = entry.at("post").natural(UINT32_MAX);
    weight.count = entry.at("count").natural(uint64_t(1) << 40);
    if (weight.isMatrix && weight.count != weight.pre * weight.post)
      entry.at("count").error("must be pre times post");
    weight.buffer = buffer(entry.at("buffer"), weight.count, real());
    if (!entry.at("exists").string().empty())
      weight.exists = buffer(entry.at("exists"), weight.count, Element::I8);
    plan.weights.push_back(weight);
  }
}

void Reader::readPopulations(const JsonReader &list) {
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    PopulationPlan population;
    population.name = entry.at("name").string();
    population.units = entry.at("units").natural(UINT32_MAX);
    checkLanes(entry.at("units"), population.units);
    population.every = entry.at("every").natural();
    if (population.every == 0)
      entry.at("every").error("must be at least 1");
    JsonReader states = entry.at("states");
    for (size_t j = 0; j < states.size() && status; ++j)
      population.states.push_back(
          {states[j].at("name").string(),
           buffer(states[j].at("buffer"), population.units, real())});
    plan.populations.push_back(std::move(population));
  }
}

bool Reader::readEvents(const JsonReader &entry, const char *prefix,
                        EventsPlan &events) {
  std::string name = prefix;
  std::string source = name.empty() ? "source" : name;
  std::string units = name.empty() ? "events" : name + "_events";
  std::string count = name.empty() ? "event_count" : name + "_count";
  std::string delay = name.empty() ? "delay" : name + "_delay";
  if (!entry.has(name.empty() ? "source" : units.c_str()))
    return false;
  events.signal = signal(entry.at(source.c_str()));
  if (events.signal == kNone)
    return false;
  const SignalPlan &plan = this->plan.signals[events.signal];
  if (!plan.isSpikes)
    entry.error("events need a signal of spikes");
  events.delays = {0};
  if (name.empty()) {
    events.delays.clear();
    for (int64_t d : entry.at("delays").integers(0))
      events.delays.push_back(d);
    if (events.delays.empty())
      entry.at("delays").error("must not be empty");
  }
  for (uint64_t own : events.delays)
    events.delay = delayOf(entry.at(delay.c_str()), events.signal, own);
  if (!entry.has(units.c_str()))
    return true; // only counted
  events.units = buffer(entry.at(units.c_str()),
                        plan.units * events.delays.size(), Element::I32);
  events.count = buffer(entry.at(count.c_str()), 1, Element::I64);
  return true;
}

void Reader::readItems(const JsonReader &list) {
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    ItemPlan item;
    item.function = function(entry.at("function"));
    for (int64_t output : entry.at("outputs").integers(0)) {
      if (uint64_t(output) >= plan.signals.size())
        entry.at("outputs").error("no such signal");
      item.outputs.push_back(output);
    }
    if (entry.has("population")) {
      std::string name = entry.at("population").string();
      for (size_t p = 0; p < plan.populations.size(); ++p)
        if (plan.populations[p].name == name)
          item.population = p;
      if (item.population == kNone)
        entry.at("population").error("no population of that name");
    }
    item.hasEvents = readEvents(entry, "", item.events);
    if (item.hasEvents && status) {
      uint64_t rows = plan.signals[item.events.signal].units / plan.batch *
                      item.events.delays.size();
      if (entry.has("row_start"))
        item.rowStart = buffer(entry.at("row_start"), rows + 1, Element::I32);
      else
        item.fanOut = entry.at("fan_out").natural(UINT32_MAX);
    }
    plan.items.push_back(std::move(item));
  }
}

void Reader::readPlastics(const JsonReader &list) {
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    PlasticPlan plastic;
    plastic.name = entry.at("name").string();
    plastic.isEnabled = entry.at("enabled").boolean();
    plastic.hasPre = readEvents(entry, "pre", plastic.pre);
    plastic.hasPost = readEvents(entry, "post", plastic.post);
    plastic.onPre = functionOf(entry, "on_pre");
    plastic.onPost = functionOf(entry, "on_post");
    plastic.onTick = functionOf(entry, "on_tick");
    plastic.onCall = functionOf(entry, "on_call");
    plastic.bounds = functionOf(entry, "bounds");
    plastic.boundsAll = functionOf(entry, "bounds_all");
    std::string weight = entry.at("weight").string();
    for (size_t w = 0; w < plan.weights.size(); ++w)
      if (plan.weights[w].name == weight)
        plastic.weight = uint32_t(w);
    if (plastic.weight == kNone)
      entry.at("weight").error("no weight of that name");
    plastic.traceTick = functionsOf(entry, "trace_tick");
    plastic.traceSpike = functionsOf(entry, "trace_spike");
    if (plastic.weight != kNone && entry.has("states")) {
      JsonReader states = entry.at("states");
      for (size_t j = 0; j < states.size() && status; ++j)
        plastic.states.push_back(
            {states[j].at("name").string(),
             buffer(states[j].at("buffer"), plan.weights[plastic.weight].count,
                    real())});
    }
    plan.plastics.push_back(std::move(plastic));
  }
}

void Reader::readRecorders(const JsonReader &list) {
  for (size_t i = 0; i < list.size() && status; ++i) {
    JsonReader entry = list[i];
    RecorderPlan recorder;
    recorder.name = entry.at("name").string();
    recorder.every = entry.at("every").natural();
    if (recorder.every == 0)
      entry.at("every").error("must be at least 1");
    if (entry.has("signal")) {
      recorder.signal = signal(entry.at("signal"));
      recorder.delay = delayOf(entry.at("delay"), recorder.signal);
    } else {
      recorder.units = entry.at("units").natural(UINT32_MAX);
      checkLanes(entry.at("units"), recorder.units);
      recorder.shape = entry.at("shape").integers(0);
      recorder.buffer = buffer(entry.at("buffer"), recorder.units, real());
    }
    plan.recorders.push_back(recorder);
  }
}

void Reader::readRun(const JsonReader &entry) {
  RunPlan &run = plan.run;
  run.function = function(entry.at("function"));
  run.capacity = entry.at("capacity").natural(UINT32_MAX);
  if (run.capacity == 0)
    entry.at("capacity").error("must be at least 1");
  JsonReader rows = entry.at("rows"), records = entry.at("records");
  if (rows.size() != plan.stimuli.size())
    rows.error("one buffer per stimulus is needed");
  if (records.size() != plan.recorders.size())
    records.error("one buffer per recorder is needed");
  for (const SignalPlan &signal : plan.signals)
    if (signal.isSpikes)
      entry.error("a network with spikes runs tick by tick");
  if (!status)
    return;
  for (size_t i = 0; i < rows.size() && status; ++i)
    run.rows.push_back(buffer(
        rows[i], plan.signals[plan.stimuli[i].signal].units * run.capacity,
        real()));
  for (size_t i = 0; i < records.size() && status; ++i) {
    const RecorderPlan &recorder = plan.recorders[i];
    uint64_t units = recorder.signal == kNone
                         ? recorder.units
                         : plan.signals[recorder.signal].units;
    run.records.push_back(buffer(records[i], units * run.capacity, real()));
  }
  run.control =
      buffer(entry.at("control"),
             3 + plan.stimuli.size() + plan.plastics.size(), Element::I64);
}

void Reader::read(const JsonReader &program) {
  std::string id = program.at("id").string();
  if (id.empty() || id.size() > 16 ||
      id.find_first_not_of("0123456789abcdef") != std::string::npos)
    program.at("id").error("must be up to 16 hexadecimal digits");
  else
    plan.id = std::stoull(id, nullptr, 16);
  std::string real = program.at("real").string();
  if (real != "f32" && real != "f64")
    program.at("real").error("must be f32 or f64");
  plan.isDouble = real == "f64";
  plan.seed = uint64_t(program.at("seed").integer());
  if (program.has("batch"))
    plan.batch = program.at("batch").natural(UINT32_MAX);
  if (plan.batch == 0) {
    program.at("batch").error("must be at least 1");
    plan.batch = 1;
  }
  plan.instructionSet = program.at("instruction_set").string();
  plan.architecture = program.at("architecture").string();
  JsonReader functions = program.at("functions");
  plan.functionCount = functions.size();
  for (size_t i = 0; i < functions.size() && status; ++i)
    functionIndex[functions[i].string()] = i;
  readBuffers(program.at("buffers"));
  if (status)
    readSignals(program.at("signals"));
  if (status)
    readSources(program);
  if (status)
    readWeights(program.at("weights"));
  if (status)
    readPopulations(program.at("populations"));
  if (status)
    readItems(program.at("items"));
  if (status)
    readPlastics(program.at("plastics"));
  if (status)
    readRecorders(program.at("recorders"));
  if (status && program.has("run"))
    readRun(program.at("run"));
  JsonReader keys = program.at("random");
  for (size_t i = 0; i < keys.size() && status; ++i)
    plan.keys.push_back({keys[i].at("stream").string(),
                         buffer(keys[i].at("buffer"), 1, Element::I64)});
}

} // namespace

Status readPlan(const Container &program, Plan &plan) {
  Json json;
  if (Status status =
          parseJson(program.manifest(), program.origin() + ": manifest", json);
      !status)
    return status;
  Status status;
  JsonReader manifest(json, program.origin() + ": manifest", status);
  JsonReader section = manifest.at("program");
  if (status)
    Reader(program, plan, status).read(section);
  return status;
}

} // namespace neuroc::rt::cpu
