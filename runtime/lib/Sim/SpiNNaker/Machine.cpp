// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's side of the machine: building it from a validated configuration,
// loading, starting, reading and counting. The scheduler is in Scheduler.cpp.

#include "Model.h"

#include <cstdio>

namespace neuroc::rt::spinn {

MachineConfig MachineConfig::fourChips() {
  MachineConfig config;
  config.width = config.height = 2;
  config.wrap = true;
  return config;
}

static std::string name(ChipId chip) {
  return "chip (" + std::to_string(chip.x) + ", " + std::to_string(chip.y) +
         ")";
}
static std::string name(CoreId core) {
  return "core (" + std::to_string(core.chip.x) + ", " +
         std::to_string(core.chip.y) + ", " + std::to_string(core.core) + ")";
}
static std::string hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}
static Status usage(std::string message) {
  return Status(Code::UsageError, std::move(message));
}

static Status validate(const MachineConfig &config) {
  if (config.width < 1 || config.height < 1 || config.width > 256 ||
      config.height > 256)
    return usage("machine size must be 1 to 256 chips each way, got " +
                 std::to_string(config.width) + " x " +
                 std::to_string(config.height));
  if (config.coresPerChip < 1 || config.coresPerChip > kMaxCoresPerChip)
    return usage("cores per chip must be 1 to 18, got " +
                 std::to_string(config.coresPerChip));
  if (config.sdramBytes > kSdramSize || config.sdramBytes % 4096)
    return usage("SDRAM must be a multiple of 4096 bytes up to 128 MiB, got " +
                 std::to_string(config.sdramBytes));
  auto inside = [&](ChipId id) {
    return id.x < config.width && id.y < config.height;
  };
  for (ChipId id : config.deadChips)
    if (!inside(id))
      return usage("dead " + name(id) + " is outside the machine");
  for (CoreId id : config.deadCores)
    if (!inside(id.chip) || id.core >= config.coresPerChip)
      return usage("dead " + name(id) + " is outside the machine");
  for (auto [id, link] : config.deadLinks)
    if (!inside(id) || link >= kLinksPerChip)
      return usage("dead link " + std::to_string(link) + " of " + name(id) +
                   " is outside the machine");
  const TimingParameters &timing = config.timing;
  for (const TimingParameterInfo &info : timingParameters()) {
    std::string_view unit(info.unit);
    bool positive = unit == "ps" || unit == "packets" || unit == "entries";
    bool mayBeZero = std::string_view(info.name) == "groupBOffsetPs";
    if (positive && !mayBeZero && timing.*info.field == 0)
      return usage(std::string("timing parameter '") + info.name +
                   "' must be greater than 0");
  }
  return Status::ok();
}

namespace {
constexpr int kLinkX[] = {1, 1, 0, -1, -1, 0};
constexpr int kLinkY[] = {0, 1, 1, 0, -1, -1};
/// CPU group B runs on the inverted clock.
constexpr uint32_t kGroupB = 1u << 0 | 1u << 3 | 1u << 5 | 1u << 6 | 1u << 9 |
                             1u << 10 | 1u << 12 | 1u << 15 | 1u << 17;
} // namespace

Status Machine::create(const MachineConfig &config,
                       std::unique_ptr<Machine> &machine) {
  if (Status status = validate(config); !status)
    return status;
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  unsigned count = config.width * config.height;
  impl->chips = std::vector<Chip>(count);
  impl->nodes = std::vector<Node>(count * kMaxCoresPerChip);
  impl->isReady.resize(impl->nodes.size());
  const TimingParameters &timing = config.timing;
  impl->lookahead = 5 * uint64_t(timing.txBytePs) + timing.txMergePs +
                    timing.routerLatencyPs + timing.routerToCorePs;
  auto contains = [](const auto &list, const auto &item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  };
  for (unsigned i = 0; i < count; ++i) {
    Chip &chip = impl->chips[i];
    chip.id = {uint16_t(i / config.height), uint16_t(i % config.height)};
    chip.index = i;
    chip.machine = impl.get();
    chip.nodes = &impl->nodes[i * kMaxCoresPerChip];
    chip.router.chip = &chip;
    chip.router.machine = impl.get();
    chip.router.wait1 = uint8_t(timing.wait1);
    chip.router.wait2 = uint8_t(timing.wait2);
    bool dead = contains(config.deadChips, chip.id);
    if (!dead) {
      chip.sysram.resize(kSysramSize);
      chip.sdram.reset(static_cast<uint8_t *>(
          std::calloc(std::max(config.sdramBytes, 4096u), 1)));
      if (!chip.sdram)
        return Status(Code::DoesNotFit, "not enough memory for the SDRAM of " +
                                            std::to_string(count) + " chips");
    }
    for (unsigned core = 0; core < kMaxCoresPerChip; ++core) {
      Node &node = chip.nodes[core];
      node.chip = &chip;
      node.machine = impl.get();
      node.index = i * kMaxCoresPerChip + core;
      node.id = {chip.id, uint8_t(core)};
      node.alive = !dead && core < config.coresPerChip &&
                   !contains(config.deadCores, node.id);
      node.offset = kGroupB >> core & 1 ? timing.groupBOffsetPs : 0;
      node.cpu.timing = &impl->config.timing;
      node.cpu.node = &node;
      chip.router.coreCredits[core] = node.alive ? timing.rxFifoPackets : 0;
    }
  }
  for (Chip &chip : impl->chips)
    for (unsigned link = 0; link < kLinksPerChip; ++link) {
      int x = chip.id.x + kLinkX[link], y = chip.id.y + kLinkY[link];
      int w = int(config.width), h = int(config.height);
      if (config.wrap) {
        x = (x + w) % w;
        y = (y + h) % h;
      }
      if (x < 0 || y < 0 || x >= w || y >= h)
        continue;
      ChipId far{uint16_t(x), uint16_t(y)};
      unsigned back = (link + 3) % 6;
      LinkOut &out = chip.router.links[link];
      out.farChip = unsigned(x) * config.height + unsigned(y);
      out.farLink = back;
      out.credits = timing.linkInputPackets;
      out.exists = !contains(config.deadChips, chip.id) &&
                   !contains(config.deadChips, far) &&
                   !contains(config.deadLinks, std::pair(chip.id, link)) &&
                   !contains(config.deadLinks, std::pair(far, back));
    }
  machine.reset(new Machine(std::move(impl)));
  return Status::ok();
}

Machine::Machine(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Machine::~Machine() = default;

const MachineConfig &Machine::config() const { return impl->config; }
Picoseconds Machine::now() const { return impl->now; }
const std::vector<Fault> &Machine::faults() const { return impl->faults; }
void Machine::setTrace(std::function<void(const TraceEntry &)> trace) {
  impl->trace = std::move(trace);
}

Chip *Machine::Impl::chipAt(ChipId id) {
  if (id.x >= config.width || id.y >= config.height)
    return nullptr;
  Chip &chip = chips[id.x * config.height + id.y];
  return chip.sdram ? &chip : nullptr;
}

Node *Machine::Impl::node(CoreId id) {
  Chip *chip = chipAt(id.chip);
  if (!chip || id.core >= kMaxCoresPerChip || !chip->nodes[id.core].alive)
    return nullptr;
  return &chip->nodes[id.core];
}

std::vector<ChipId> Machine::chips() const {
  std::vector<ChipId> alive;
  for (const Chip &chip : impl->chips)
    if (chip.sdram)
      alive.push_back(chip.id);
  return alive;
}
bool Machine::hasCore(CoreId core) const { return impl->node(core); }
bool Machine::hasLink(ChipId id, unsigned link) const {
  Chip *chip = impl->chipAt(id);
  return chip && link < kLinksPerChip && chip->router.links[link].exists;
}
std::optional<ChipId> Machine::neighbour(ChipId id, unsigned link) const {
  if (!hasLink(id, link))
    return std::nullopt;
  return impl->chips[impl->chipAt(id)->router.links[link].farChip].id;
}

static Status noCore(CoreId core) {
  return usage("the machine has no live " + name(core));
}

Status Machine::loadElf(CoreId core, std::span<const uint8_t> file,
                        ElfImage *image) {
  ElfImage parsed;
  if (Status status = parseElf(file, parsed); !status)
    return status;
  if (Status status = loadImage(core, parsed); !status)
    return status;
  if (image)
    *image = std::move(parsed);
  return Status::ok();
}

/// The host's view of a core's address space: TCMs or shared memory.
static uint8_t *locate(Node &node, uint32_t address, uint32_t size) {
  node.prepare();
  if (address < kItcmSize)
    return kItcmSize - address >= size ? &node.itcm[address] : nullptr;
  uint32_t offset = address - kDtcmBase;
  if (offset < kDtcmSize)
    return kDtcmSize - offset >= size ? &node.dtcm[offset] : nullptr;
  return node.chip->memory(address, size);
}

static Status badRange(CoreId core, uint32_t address, size_t size) {
  return Status(Code::InputError,
                name(core) + ": " + std::to_string(size) + " bytes at " +
                    hex(address) + " do not lie within one memory");
}

Status Machine::loadImage(CoreId core, const ElfImage &image) {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  for (const ElfSegment &segment : image.segments)
    if (segment.bytes.size() > segment.memorySize ||
        !locate(*node, segment.address, std::max(1u, segment.memorySize)))
      return badRange(core, segment.address, segment.memorySize);
  for (const ElfSegment &segment : image.segments) {
    uint8_t *to = locate(*node, segment.address, std::max(1u, segment.memorySize));
    std::copy(segment.bytes.begin(), segment.bytes.end(), to);
    std::fill(to + segment.bytes.size(), to + segment.memorySize, 0);
    node->cpu.invalidate(segment.address, segment.memorySize);
  }
  return Status::ok();
}

Status Machine::write(CoreId core, uint32_t address,
                      std::span<const uint8_t> bytes) {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  if (bytes.empty())
    return Status::ok();
  uint8_t *to = bytes.size() <= kSdramSize
                    ? locate(*node, address, uint32_t(bytes.size()))
                    : nullptr;
  if (!to)
    return badRange(core, address, bytes.size());
  std::copy(bytes.begin(), bytes.end(), to);
  node->cpu.invalidate(address, uint32_t(bytes.size()));
  return Status::ok();
}

Status Machine::read(CoreId core, uint32_t address,
                     std::span<uint8_t> bytes) const {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  if (bytes.empty())
    return Status::ok();
  uint8_t *from = bytes.size() <= kSdramSize
                      ? locate(*node, address, uint32_t(bytes.size()))
                      : nullptr;
  if (!from)
    return badRange(core, address, bytes.size());
  std::copy(from, from + bytes.size(), bytes.begin());
  return Status::ok();
}

Status Machine::writeWord(CoreId core, uint32_t address, uint32_t value) {
  uint8_t bytes[4] = {uint8_t(value), uint8_t(value >> 8), uint8_t(value >> 16),
                      uint8_t(value >> 24)};
  return write(core, address, bytes);
}

Status Machine::readWord(CoreId core, uint32_t address, uint32_t &value) const {
  uint8_t bytes[4] = {};
  Status status = read(core, address, bytes);
  if (status)
    value = bytes[0] | uint32_t(bytes[1]) << 8 | uint32_t(bytes[2]) << 16 |
            uint32_t(bytes[3]) << 24;
  return status;
}

uint8_t *Machine::memory(CoreId core, uint32_t address, uint32_t size) {
  Node *node = impl->node(core);
  if (!node || address < kItcmSize)
    return nullptr;
  return locate(*node, address, size);
}

Status Machine::addRoute(ChipId id, const RoutingEntry &entry) {
  Chip *chip = impl->chipAt(id);
  if (!chip)
    return usage("the machine has no live " + name(id));
  if (entry.key & ~entry.mask)
    return usage(name(id) + ": routing key " + hex(entry.key) +
                 " has bits outside its mask " + hex(entry.mask) +
                 " and can match no packet");
  if (entry.route >> 24)
    return usage(name(id) + ": route " + hex(entry.route) +
                 " has bits beyond core 17");
  for (unsigned core = 0; core < kMaxCoresPerChip; ++core)
    if ((entry.route >> (6 + core) & 1) && !chip->nodes[core].alive)
      return usage(name(id) + ": route " + hex(entry.route) +
                   " leads to core " + std::to_string(core) +
                   ", which is missing or dead");
  if (chip->router.table.size() >= kRouterEntries)
    return Status(Code::DoesNotFit,
                  name(id) + ": the routing table is full (1024 entries)");
  chip->router.table.push_back(entry);
  chip->router.tableChanged();
  return Status::ok();
}

Status Machine::clearRoutes(ChipId id) {
  Chip *chip = impl->chipAt(id);
  if (!chip)
    return usage("the machine has no live " + name(id));
  chip->router.table.clear();
  chip->router.tableChanged();
  return Status::ok();
}

Status Machine::start(CoreId core, uint32_t entry) {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  node->reset(entry);
  impl->makeReady(*node);
  return Status::ok();
}

Status Machine::stop(CoreId core) {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  node->cpu.state = CoreState::Off; // the scheduler lets go of it
  return Status::ok();
}

CoreState Machine::state(CoreId core) const {
  Node *node = impl->node(core);
  return node ? node->cpu.state : CoreState::Off;
}

Status Machine::registers(CoreId core, CoreRegisters &registers) const {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  std::copy(std::begin(node->cpu.r), std::end(node->cpu.r), registers.r);
  registers.r[15] = node->cpu.nextPc;
  registers.cpsr = node->cpu.cpsr();
  return Status::ok();
}

Status Machine::setRegisters(CoreId core, const CoreRegisters &registers) {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  if (!validMode(registers.cpsr & 0x1f))
    return usage(name(core) + ": " + hex(registers.cpsr) +
                 " is no processor status (mode bits)");
  node->cpu.setCpsr(registers.cpsr);
  std::copy(registers.r, registers.r + 15, node->cpu.r);
  node->cpu.nextPc = registers.r[15] & (node->cpu.thumb ? ~1u : ~3u);
  node->cpu.pending = 0;
  return Status::ok();
}

Status Machine::interrupt(CoreId core) {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  node->chip->cpuInterrupts |= 1u << core.core;
  node->cpuInterrupt = true; // conditions wait until it is served
  Event event;
  event.time = impl->now;
  event.kind = EventKind::CpuInterrupt;
  event.target = node->index;
  event.arg = 1;
  impl->schedule(event);
  return Status::ok();
}

Status Machine::inject(ChipId id, uint32_t key, std::optional<uint32_t> payload,
                       Picoseconds time) {
  Chip *chip = impl->chipAt(id);
  if (!chip)
    return usage("the machine has no live " + name(id));
  Event event;
  event.time = std::max(time, impl->now);
  event.kind = EventKind::RouterInject;
  event.target = chip->index;
  event.packet.key = key;
  event.packet.payload = payload.value_or(0);
  event.packet.control = payload ? 2 : 0;
  impl->schedule(event);
  return Status::ok();
}

Status Machine::run(const RunLimit &limit, StopReason &reason) {
  return impl->run(limit, reason);
}

Status Machine::counters(CoreId core, CoreCounters &counters) const {
  Node *node = impl->node(core);
  if (!node)
    return noCore(core);
  const Cpu &cpu = node->cpu;
  counters = node->counters;
  counters.instructions = cpu.instructions;
  counters.interlockCycles = cpu.interlocks;
  counters.busCycles = cpu.busWaits;
  counters.irqs = cpu.irqs;
  counters.fiqs = cpu.fiqs;
  counters.faults = cpu.faults;
  if (cpu.state == CoreState::Sleeping) {
    uint64_t at = node->cycleAt(impl->now);
    counters.idleCycles += at - std::min(at, node->sleptAt);
  }
  counters.cycles = node->awakeCycles();
  return Status::ok();
}

Status Machine::routerCounters(ChipId id, RouterCounters &counters) const {
  Chip *chip = impl->chipAt(id);
  if (!chip)
    return usage("the machine has no live " + name(id));
  counters = chip->router.counters;
  return Status::ok();
}

Energy Machine::energy() const {
  // Published constants of the machine description tools.
  constexpr double kChipWatts = 0.35, kCoreWatts = 0.034, kBitJoules = 25e-12;
  Energy energy;
  double seconds = double(impl->now) * 1e-12;
  for (const Chip &chip : impl->chips) {
    if (!chip.sdram)
      continue;
    energy.idleJoules += kChipWatts * seconds;
    energy.routersJoules += kBitJoules * double(chip.router.counters.bitHops);
  }
  double cycle = double(impl->config.timing.cpuPeriodPs) * 1e-12;
  for (const Node &node : impl->nodes)
    if (node.cpu.itcm)
      energy.coresJoules += kCoreWatts * cycle * double(node.awakeCycles());
  return energy;
}

} // namespace neuroc::rt::spinn
