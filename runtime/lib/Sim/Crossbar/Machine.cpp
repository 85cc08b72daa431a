// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scheduler. A tile runs ahead on its own until its next instruction can
// touch other tiles; such instructions, and the packets in the mesh, are
// carried out in order of cycle, the mesh before tiles, tiles by number, so
// the result does not depend on how far tiles run ahead. When no tile can go
// on, the machine is at a tick, at a barrier, waits for the host, or is
// deadlocked, which is an error that names who waits for what.
#include "MachineImpl.h"

#include "neuroc/rt/xbar/Assembler.h"

#include <algorithm>

namespace neuroc::rt::xbar {

Machine::Machine(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Machine::~Machine() = default;

Status Machine::create(const MachineConfig &config,
                       std::unique_ptr<Machine> &machine) {
  // Memory that a fully used machine would need on the host.
  uint64_t words = uint64_t(config.tiles()) * uint64_t(config.memoryWords);
  if (words > (uint64_t(1) << 31))
    return {Code::DoesNotFit,
            "machine '" + config.name + "': " + std::to_string(words) +
                " words of tile memory are more than the simulator's limit of "
                "2147483648; lower mesh.x, mesh.y or tile.memory_words"};
  auto impl = std::make_unique<Impl>(config);
  impl->tiles.resize(size_t(config.tiles()));
  for (size_t i = 0; i < impl->tiles.size(); ++i)
    impl->tiles[i].number = uint32_t(i);
  machine.reset(new Machine(std::move(impl)));
  return Status::ok();
}

const MachineConfig &Machine::config() const { return impl->config; }

/// Memory and arrays are made when a tile is first touched.
static void materialise(Machine::Impl &impl, Tile &tile) {
  if (!tile.memory.empty())
    return;
  tile.memory.assign(size_t(impl.config.memoryWords), 0);
  tile.arrays.resize(size_t(impl.config.arraysPerTile));
  tile.arrayFree.assign(tile.arrays.size(), 0);
}

static Status checkTile(const Machine::Impl &impl, uint32_t tile) {
  if (tile < impl.tiles.size())
    return Status::ok();
  return {Code::InputError, "tile " + std::to_string(tile) +
                                " does not exist: machine '" +
                                impl.config.name + "' has " +
                                std::to_string(impl.tiles.size()) + " tiles"};
}

Status Machine::loadProgram(uint32_t number, std::span<const uint64_t> code) {
  if (Status status = checkTile(*impl, number); !status)
    return status;
  std::vector<ProgramError> errors = validateProgram(code, impl->config);
  if (!errors.empty())
    return {Code::ModelError,
            "tile " + std::to_string(number) + ": instruction " +
                std::to_string(errors[0].at) + " '" +
                (errors[0].at < code.size() ? disassemble(code[errors[0].at])
                                            : std::string()) +
                "': " + errors[0].message};
  Tile &tile = impl->tiles[number];
  materialise(*impl, tile);
  tile.code.clear();
  for (uint64_t word : code) {
    Instr instr = *decode(word);
    Decoded d;
    d.word = word;
    d.op = instr.op;
    d.unit = info(instr.op).unit;
    for (unsigned i = 0; i < info(instr.op).numFields; ++i) {
      const Field &field = info(instr.op).fields[i];
      if (field.isRegister() && field.kind != FieldKind::RegWrite)
        d.reads |= uint32_t(1) << instr.v[i];
    }
    tile.code.push_back(d);
  }
  tile.state = TileState::Halted; // until start()
  return Status::ok();
}

static Status checkWords(const Machine::Impl &impl, uint32_t tile,
                         uint32_t address, size_t count) {
  if (Status status = checkTile(impl, tile); !status)
    return status;
  uint64_t size = uint64_t(impl.config.memoryWords);
  if (address > size || count > size - address)
    return {Code::InputError, "tile " + std::to_string(tile) + ": words [" +
                                  std::to_string(address) + ", " +
                                  std::to_string(address + count) +
                                  ") are outside the tile memory of " +
                                  std::to_string(size) + " words"};
  return Status::ok();
}

Status Machine::writeMemory(uint32_t tile, uint32_t address,
                            std::span<const int32_t> words) {
  if (Status status = checkWords(*impl, tile, address, words.size()); !status)
    return status;
  materialise(*impl, impl->tiles[tile]);
  std::copy(words.begin(), words.end(),
            impl->tiles[tile].memory.begin() + address);
  return Status::ok();
}

Status Machine::readMemory(uint32_t tile, uint32_t address,
                           std::span<int32_t> words) const {
  if (Status status = checkWords(*impl, tile, address, words.size()); !status)
    return status;
  const std::vector<int32_t> &memory = impl->tiles[tile].memory;
  if (memory.empty())
    std::fill(words.begin(), words.end(), 0);
  else
    std::copy_n(memory.begin() + address, words.size(), words.begin());
  return Status::ok();
}

std::span<const int32_t> Machine::memory(uint32_t tile) const {
  return tile < impl->tiles.size() ? impl->tiles[tile].memory
                                   : std::span<const int32_t>();
}
std::span<int32_t> Machine::memory(uint32_t tile) {
  if (tile >= impl->tiles.size())
    return {};
  materialise(*impl, impl->tiles[tile]);
  return impl->tiles[tile].memory;
}

static Status checkBank(const Machine::Impl &impl, const Bank &bank) {
  if (Status status = checkTile(impl, bank.tile); !status)
    return status;
  const MachineConfig &m = impl.config;
  auto outside = [](uint64_t first, uint64_t count, int64_t size) {
    return first > uint64_t(size) || count > uint64_t(size) - first;
  };
  std::string where = "tile " + std::to_string(bank.tile) + ", array " +
                      std::to_string(bank.array) + ": ";
  if (!bank.slices || outside(bank.array, bank.slices, m.arraysPerTile))
    return {Code::InputError, where + std::to_string(bank.slices) +
                                  " arrays from " + std::to_string(bank.array) +
                                  ", a tile has " +
                                  std::to_string(m.arraysPerTile)};
  if (outside(bank.row0, bank.rows, m.rows) ||
      outside(bank.col0, bank.cols, m.signedCols()))
    return {Code::InputError,
            where + "the window is outside the " + std::to_string(m.rows) +
                " x " + std::to_string(m.signedCols()) + " signed cells"};
  return Status::ok();
}

/// The array, made on first use: most tiles use few of theirs.
static Array &arrayOf(Machine::Impl &impl, Tile &tile, uint32_t index) {
  Array &array = tile.arrays[index];
  if (!array.rows())
    array = Array(impl.config, uint64_t(tile.number) * 4096 + index);
  return array;
}

Status Machine::loadArray(const Bank &bank, std::span<const int32_t> weights,
                          bool setWindow) {
  if (Status status = checkBank(*impl, bank); !status)
    return status;
  if (weights.size() != size_t(bank.rows) * bank.cols)
    return {Code::Internal, "loadArray: wrong number of weights"};
  const MachineConfig &m = impl->config;
  Tile &tile = impl->tiles[bank.tile];
  materialise(*impl, tile);
  int64_t limit = m.maxWeight(bank.slices);
  size_t at = 0;
  for (uint32_t r = 0; r < bank.rows; ++r)
    for (uint32_t c = 0; c < bank.cols; ++c, ++at) {
      int64_t weight = weights[at];
      if (weight > limit || weight < -limit)
        return {Code::InputError,
                "tile " + std::to_string(bank.tile) + ", array " +
                    std::to_string(bank.array) + ": weight " +
                    std::to_string(weight) + " is beyond the " +
                    std::to_string(limit) + " of " +
                    std::to_string(bank.slices) + " slices of " +
                    std::to_string(m.cellBits) + " bits"};
      for (uint32_t k = 0; k < bank.slices; ++k) {
        int digit =
            int((std::abs(weight) >> (int64_t(k) * m.cellBits)) & m.maxLevel());
        arrayOf(*impl, tile, bank.array + k)
            .program(bank.row0 + r, bank.col0 + c, weight < 0 ? -digit : digit,
                     impl->counters);
      }
    }
  if (setWindow)
    arrayOf(*impl, tile, bank.array).window = {bank.row0, bank.rows, bank.col0,
                                               bank.cols};
  return Status::ok();
}

Status Machine::readArray(const Bank &bank,
                          std::vector<int32_t> &weights) const {
  if (Status status = checkBank(*impl, bank); !status)
    return status;
  weights.assign(size_t(bank.rows) * bank.cols, 0);
  const Tile &tile = impl->tiles[bank.tile];
  for (uint32_t k = 0; k < bank.slices && !tile.arrays.empty(); ++k) {
    const Array &array = tile.arrays[bank.array + k];
    if (!array.rows())
      continue;
    for (uint32_t r = 0; r < bank.rows; ++r)
      for (uint32_t c = 0; c < bank.cols; ++c)
        weights[size_t(r) * bank.cols + c] +=
            array.level(bank.row0 + r, bank.col0 + c) *
            (1 << (k * unsigned(impl->config.cellBits)));
  }
  return Status::ok();
}

int32_t Machine::readRegister(uint32_t tile, unsigned reg) const {
  return tile < impl->tiles.size() && reg < kRegisters
             ? impl->tiles[tile].reg[reg]
             : 0;
}

void Machine::start() {
  impl->queue = {};
  impl->mesh.reset();
  impl->activeTiles = 0;
  impl->started = true;
  for (Tile &tile : impl->tiles) {
    if (tile.code.empty())
      continue;
    ++impl->activeTiles;
    tile.state = TileState::Ready;
    tile.time = impl->now;
    tile.pc = 0;
    tile.reg.fill(0);
    tile.regReady.fill(0);
    tile.latestReg = 0;
    tile.loops.clear();
    tile.ranges.clear();
    std::fill(tile.arrayFree.begin(), tile.arrayFree.end(), 0);
    tile.vectorFree = tile.portFree = tile.receiveFree = 0;
    tile.inbox.clear();
    tile.stores.clear();
    tile.consumers.clear();
    for (auto &event : tile.events)
      event.clear();
    impl->queue.push({tile.time, tile.number});
  }
}

Status Machine::run(StopReason &reason, uint64_t maxCycles) {
  Impl &m = *impl;
  if (!m.started)
    start();
  uint64_t limit =
      maxCycles > UINT64_MAX - m.now ? UINT64_MAX : m.now + maxCycles;
  while (true) {
    while (!m.queue.empty() || !m.mesh.empty()) {
      // At equal cycles the mesh comes first, then tiles by number.
      if (!m.mesh.empty() &&
          (m.queue.empty() || m.mesh.nextTime() <= m.queue.top().time)) {
        m.mesh.step(m.counters,
                    [&m](uint32_t tile, const auto &packet, uint64_t arrival) {
                      m.deliver(tile, packet, arrival);
                    });
        continue;
      }
      Impl::QueueEntry entry = m.queue.top();
      if (entry.time >= limit) {
        m.now = limit;
        reason = StopReason::Limit;
        return Status::ok();
      }
      m.queue.pop();
      Tile &tile = m.tiles[entry.tile];
      if (tile.state == TileState::Waiting) {
        m.stall(tile, tile.waitingFor, entry.time);
        tile.state = TileState::Ready;
      } else if (tile.state != TileState::Ready || tile.time > entry.time) {
        continue; // woken before, or twice
      }
      if (Status status = m.runTile(tile, limit); !status)
        return status;
    }
    unsigned counts[6] = {};
    for (const Tile &tile : m.tiles)
      ++counts[unsigned(tile.state)];
    unsigned waiting = counts[unsigned(TileState::Waiting)];
    unsigned atBarrier = counts[unsigned(TileState::AtBarrier)];
    unsigned atTick = counts[unsigned(TileState::AtTick)];
    for (const Tile &tile : m.tiles)
      if (tile.state != TileState::Empty)
        m.now = std::max(m.now, tile.time);
    if (!waiting && !atBarrier) {
      reason = atTick ? StopReason::Tick : StopReason::Halted;
      return Status::ok();
    }
    if (!waiting && !atTick) {
      m.releaseAll(TileState::AtBarrier);
      continue;
    }
    for (const Tile &tile : m.tiles)
      if (tile.state == TileState::Waiting && tile.waitingFor == Stall::Host) {
        reason = StopReason::HostInput;
        return Status::ok();
      }
    return m.deadlock();
  }
}

void Machine::resume(uint32_t tick, uint32_t command) {
  for (Tile &tile : impl->tiles) {
    tile.tick = int32_t(tick);
    tile.command = int32_t(command);
  }
  impl->releaseAll(TileState::AtTick);
}

void Machine::postHost(uint32_t tile, int32_t channel,
                       std::vector<int32_t> words) {
  if (tile >= impl->tiles.size())
    return;
  impl->counters.hostWords += words.size();
  Tile &target = impl->tiles[tile];
  uint64_t arrival = impl->now + uint64_t(impl->config.hostCycles);
  auto packet = std::make_shared<Packet>();
  packet->words = std::move(words);
  target.hostInbox[channel].push_back({arrival, std::move(packet)});
  if (target.state == TileState::Waiting && target.waitingFor == Stall::Host)
    impl->wake(target, arrival);
}

std::vector<HostMessage> Machine::takeHostMessages() {
  return std::exchange(impl->outbox, {});
}

uint64_t Machine::cycle() const { return impl->now; }

Counters Machine::counters() const {
  Counters result = impl->counters;
  result.cycles = impl->now;
  result.tileCycles = impl->now * impl->activeTiles;
  return result;
}

void Machine::setTrace(Trace trace) { impl->trace = std::move(trace); }

// --- scheduling ---------------------------------------------------------

void Machine::Impl::wake(Tile &tile, uint64_t when) {
  queue.push({std::max(when, tile.time), tile.number});
}

void Machine::Impl::sleep(Tile &tile, Stall cause, uint64_t retry) {
  tile.state = TileState::Waiting;
  tile.waitingFor = cause;
  if (retry != UINT64_MAX)
    wake(tile, retry);
}

void Machine::Impl::drain(Tile &tile, Stall cause) {
  uint64_t until = std::max(tile.latestReg, tile.vectorFree);
  until = std::max({until, tile.portFree, tile.receiveFree});
  for (uint64_t free : tile.arrayFree)
    until = std::max(until, free);
  for (const Range &range : tile.ranges)
    until = std::max(until, range.until);
  stall(tile, cause, until);
  tile.ranges.clear();
}

bool Machine::Impl::mustYield(Tile &tile) {
  QueueEntry mine{tile.time, tile.number};
  bool meshFirst = !mesh.empty() && mesh.nextTime() <= tile.time;
  if (!meshFirst && (queue.empty() || !(mine > queue.top())))
    return false;
  queue.push(mine);
  return true;
}

uint64_t Machine::Impl::latest(TileState state) const {
  uint64_t time = 0;
  for (const Tile &tile : tiles)
    if (tile.state == state)
      time = std::max(time, tile.time);
  return time;
}

void Machine::Impl::releaseAll(TileState state) {
  uint64_t when = latest(state) + uint64_t(config.barrierCycles);
  for (Tile &tile : tiles)
    if (tile.state == state) {
      stall(tile, Stall::Barrier, when);
      tile.state = TileState::Ready;
      queue.push({tile.time, tile.number});
    }
}

Status Machine::Impl::fault(const Tile &tile,
                            const std::string &message) const {
  std::string text = tile.pc < tile.code.size()
                         ? disassemble(tile.code[tile.pc].word)
                         : std::string("end of program");
  return {Code::ModelError, "tile " + std::to_string(tile.number) +
                                ": instruction " + std::to_string(tile.pc) +
                                " '" + text + "' at cycle " +
                                std::to_string(tile.time) + ": " + message};
}

std::string Machine::Impl::describeWait(const Tile &tile) const {
  std::string text = "tile " + std::to_string(tile.number) + " waits ";
  if (tile.state == TileState::AtBarrier)
    return text + "at a barrier (instruction " + std::to_string(tile.pc - 1) +
           ")";
  if (tile.state == TileState::AtTick)
    return text + "at the end of the tick (instruction " +
           std::to_string(tile.pc - 1) + ")";
  const Decoded &d = tile.code[tile.pc];
  switch (tile.waitingFor) {
  case Stall::Message: {
    int32_t tag = tile.reg[d.c()];
    text += "for tag " + std::to_string(tag);
    if (d.op == Op::Recv) {
      auto found = tile.inbox.find(tag);
      size_t have = found == tile.inbox.end() ? 0 : found->second.size();
      text += " (" + std::to_string(have) + " of " +
              std::to_string(operand<Op::Recv, "n">(d)) + " messages)";
    }
    break;
  }
  case Stall::Event:
    text += "for event " + std::to_string(operand<Op::Wait, "event">(d));
    break;
  case Stall::Counted:
    text += "for valid words at address " + std::to_string(tile.reg[d.b()]);
    break;
  default:
    text += "for the host, channel " + std::to_string(tile.reg[d.c()]);
    break;
  }
  return text + " (instruction " + std::to_string(tile.pc) + " '" +
         disassemble(d.word) + "')";
}

Status Machine::Impl::deadlock() const {
  std::string text = "deadlock at cycle " + std::to_string(now) + ":";
  unsigned listed = 0, more = 0;
  for (const Tile &tile : tiles) {
    if (tile.state != TileState::Waiting &&
        tile.state != TileState::AtBarrier && tile.state != TileState::AtTick)
      continue;
    if (listed == 8) {
      ++more;
      continue;
    }
    text += (listed++ ? "; " : " ") + describeWait(tile);
    std::map<int32_t, size_t> unread; // in order of tags
    for (const auto &[tag, messages] : tile.inbox)
      if (!messages.empty())
        unread[tag] = messages.size();
    for (auto [tag, count] : unread)
      text += ", has " + std::to_string(count) + " unread under tag " +
              std::to_string(tag);
  }
  if (more)
    text += "; and " + std::to_string(more) + " more tiles";
  return {Code::ModelError, text};
}

// --- one tile -----------------------------------------------------------

void Machine::Impl::awaitRange(Tile &tile, int64_t first, int64_t count,
                               bool writes) {
  if (count <= 0)
    return;
  uint64_t until = tile.time;
  for (size_t i = 0; i < tile.ranges.size();) {
    const Range &range = tile.ranges[i];
    if (range.until <= tile.time) {
      tile.ranges[i] = tile.ranges.back();
      tile.ranges.pop_back();
      continue;
    }
    if ((writes || range.writes) && first < int64_t(range.end) &&
        int64_t(range.first) < first + count)
      until = std::max(until, range.until);
    ++i;
  }
  stall(tile, Stall::Range, until);
}

Status Machine::Impl::checkRange(const Tile &tile, const char *what,
                                 int64_t first, int64_t count) const {
  if (count == 0 || (first >= 0 && count >= 0 && first <= config.memoryWords &&
                     count <= config.memoryWords - first))
    return Status::ok();
  return fault(tile, std::string(what) + ": words [" + std::to_string(first) +
                         ", " + std::to_string(first + count) +
                         ") are outside the tile memory of " +
                         std::to_string(config.memoryWords) + " words");
}

Status Machine::Impl::checkLength(const Tile &tile, int64_t length) const {
  if (length >= 0)
    return Status::ok();
  return fault(tile, "the length is negative: " + std::to_string(length));
}

Status Machine::Impl::runTile(Tile &tile, uint64_t limit) {
  while (true) {
    if (tile.time >= limit) {
      queue.push({tile.time, tile.number});
      return Status::ok();
    }
    if (tile.pc >= tile.code.size())
      return fault(tile, "the program has run off its end");
    const Decoded &d = tile.code[tile.pc];
    if (tile.latestReg > tile.time) {
      uint64_t ready = tile.time;
      for (uint32_t reads = d.reads; reads; reads &= reads - 1)
        ready = std::max(ready, tile.regReady[unsigned(__builtin_ctz(reads))]);
      stall(tile, Stall::Register, ready);
    }
    uint32_t next = tile.pc + 1;
    uint64_t saturations = counters.saturations, clips = counters.adcClips;
    bool blocked = false;
    Status status;
    switch (d.unit) {
    case Unit::Scalar:
      status = executeScalar(tile, d);
      break;
    case Unit::Control:
      status = executeControl(tile, d, next, blocked);
      break;
    case Unit::Vector:
      status = executeVector(tile, d);
      break;
    case Unit::Array:
      status = executeArray(tile, d);
      break;
    case Unit::Memory:
    case Unit::Network:
      status = executeNetwork(tile, d, blocked);
      break;
    }
    if (!status)
      return status;
    if (blocked)
      return Status::ok();
    tile.saturations += uint32_t(counters.saturations - saturations);
    tile.adcClips += uint32_t(counters.adcClips - clips);
    ++counters.instructions;
    if (trace)
      trace(tile.number, tile.time, tile.pc, d.word);
    // The end of a loop's body is noticed wherever it is reached from, but
    // for the entry of a subroutine that happens to lie there.
    while (!tile.loops.empty() && next == tile.loops.back().end &&
           d.op != Op::Jal) {
      Loop &loop = tile.loops.back();
      if (--loop.left) {
        next = loop.begin;
        break;
      }
      tile.loops.pop_back();
    }
    tile.pc = next;
    ++tile.time;
    if (d.op == Op::Halt || d.op == Op::Tick || d.op == Op::Bar)
      return Status::ok();
  }
}

} // namespace neuroc::rt::xbar
