// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the machine in global time order. Device events and awake cores are
// merged: whatever is earliest goes next, a device before a core at equal time,
// cores by number. A core runs a batch of instructions up to the next device
// event, and no further than the machine's look-ahead beyond any other awake
// core: the shortest time in which one core can be noticed by another (a packet
// through the router, a system-controller interrupt). Accesses to shared memory
// inside a batch wait for their turn, so results are exact, not approximate.

#include "Model.h"

namespace neuroc::rt::spinn {

bool Machine::Impl::earlier(uint32_t a, uint32_t b) const {
  Picoseconds ta = nodes[a].timeOf(nodes[a].cpu.cycle);
  Picoseconds tb = nodes[b].timeOf(nodes[b].cpu.cycle);
  return ta != tb ? ta < tb : a < b;
}

void Machine::Impl::siftDown(size_t at) {
  for (;;) {
    size_t least = at;
    for (size_t child : {2 * at + 1, 2 * at + 2})
      if (child < ready.size() && earlier(ready[child], ready[least]))
        least = child;
    if (least == at)
      return;
    std::swap(ready[at], ready[least]);
    at = least;
  }
}

void Machine::Impl::makeReady(Node &node) {
  if (isReady[node.index]) {
    // Restarted while awake: its place in the heap may be wrong.
    for (size_t i = ready.size(); i-- > 0;)
      siftDown(i);
    return;
  }
  isReady[node.index] = 1;
  ready.push_back(node.index);
  for (size_t at = ready.size() - 1; at > 0;) {
    size_t parent = (at - 1) / 2;
    if (!earlier(ready[at], ready[parent]))
      break;
    std::swap(ready[at], ready[parent]);
    at = parent;
  }
}

void Machine::Impl::schedule(Event event) {
  events.push(event);
  if (running)
    running->cpu.lower(running->cycleAt(event.time));
}

void Machine::Impl::dispatch(const Event &event) {
  switch (event.kind) {
  case EventKind::Timer:
    nodes[event.target].timerEvent(event.arg, now);
    break;
  case EventKind::DmaStart: nodes[event.target].dmaStart(now); break;
  case EventKind::DmaBurst: nodes[event.target].dmaBurstEnded(now); break;
  case EventKind::DmaDone: nodes[event.target].dmaDone(now); break;
  case EventKind::TxArrive: nodes[event.target].txArrive(now); break;
  case EventKind::CoreReceive:
    nodes[event.target].receive(event.packet, now);
    break;
  case EventKind::CoreCredit: {
    Node &node = nodes[event.target];
    ++node.chip->router.coreCredits[node.id.core];
    node.chip->router.space(now);
    break;
  }
  case EventKind::CpuInterrupt: {
    Node &node = nodes[event.target];
    node.cpuInterrupt = event.arg;
    node.updateInterrupts();
    node.wake(now);
    break;
  }
  case EventKind::RouterPick: chips[event.target].router.pick(now); break;
  case EventKind::RouterOut: chips[event.target].router.output(now); break;
  case EventKind::RouterTimeout:
    chips[event.target].router.timeout(event.arg, now);
    break;
  case EventKind::RouterInject:
    chips[event.target].router.arrive(event.packet, Router::kHostPort, now);
    break;
  case EventKind::LinkSent:
    chips[event.target].router.linkSent(event.arg, now);
    break;
  case EventKind::LinkArrive:
    chips[event.target].router.arrive(event.packet, event.arg, now);
    break;
  case EventKind::LinkCredit:
    chips[event.target].router.linkCredit(event.arg, now);
    break;
  }
}

void Machine::Impl::runCore(Picoseconds until) {
  Node &node = nodes[ready.front()];
  Cpu &cpu = node.cpu;
  if (cpu.state == CoreState::Running) {
    // When the next other awake core stands.
    Picoseconds other = kForever;
    for (size_t child : {size_t(1), size_t(2)})
      if (child < ready.size()) {
        const Node &rival = nodes[ready[child]];
        other = std::min(other, rival.timeOf(rival.cpu.cycle));
      }
    Picoseconds device = events.nextTime();
    Picoseconds horizon = std::min(device, until);
    if (other != kForever)
      horizon = std::min(horizon, other + lookahead);
    cpu.solo = std::min(node.cycleAt(std::min(device, other)), kForever);
    cpu.limit = node.cycleAt(horizon);
    if (budget != kForever)
      cpu.limit = std::min(cpu.limit, cpu.cycle + (budget - instructions));
    uint64_t before = cpu.instructions;
    cpu.granted = before + 1; // the first instruction has its turn
    running = &node;
    cpu.takeInterrupt();
    if (trace)
      cpu.runTraced(trace, node.id, node.offset);
    else
      cpu.run();
    running = nullptr;
    instructions += cpu.instructions - before;
  }
  if (cpu.state == CoreState::Running) {
    siftDown(0);
    return;
  }
  // Asleep, halted or stopped: leaves the heap.
  node.sleptAt = cpu.cycle;
  isReady[node.index] = 0;
  ready.front() = ready.back();
  ready.pop_back();
  siftDown(0);
  conditionsDue = true;
}

bool Machine::Impl::conditionsHold(const std::vector<WordCondition> &words) {
  for (const WordCondition &word : words) {
    Node *core = node(word.core);
    if (core->cpuInterrupt)
      return false;
    uint32_t value = 0;
    const uint8_t *at =
        word.address - kDtcmBase < kDtcmSize
            ? &core->dtcm[(word.address - kDtcmBase) & ~3u]
        : word.address < kItcmSize ? &core->itcm[word.address & ~3u]
                                   : core->chip->memory(word.address, 4);
    std::memcpy(&value, at, 4);
    if ((value & word.mask) != word.value)
      return false;
  }
  return true;
}

Status Machine::Impl::run(const RunLimit &limit, StopReason &reason) {
  for (const WordCondition &word : limit.words) {
    Node *core = node(word.core);
    if (!core || !core->cpu.itcm || word.address % 4 ||
        !(word.address < kItcmSize || word.address - kDtcmBase < kDtcmSize ||
          core->chip->memory(word.address, 4)))
      return Status(Code::UsageError,
                    "a word condition names a core that was never loaded or "
                    "an address that is no aligned word of memory");
  }
  budget = limit.maxInstructions;
  instructions = 0;
  conditionsDue = false;
  size_t known = faults.size();
  for (;;) {
    if (faults.size() > known && config.stopOnFault)
      return Status(Code::CheckFailed, faults[known].text());
    if (conditionsDue) {
      conditionsDue = false;
      if (!limit.words.empty() && conditionsHold(limit.words)) {
        reason = StopReason::Words;
        return Status::ok();
      }
    }
    if (instructions >= budget) {
      reason = StopReason::Instructions;
      return Status::ok();
    }
    Picoseconds device = events.nextTime(), core = kForever;
    if (!ready.empty())
      core = nodes[ready.front()].timeOf(nodes[ready.front()].cpu.cycle);
    Picoseconds next = std::min(device, core);
    if (next == kForever) {
      reason = StopReason::Idle;
      return Status::ok();
    }
    if (next >= limit.until) {
      now = std::max(now, limit.until);
      reason = StopReason::Time;
      return Status::ok();
    }
    now = std::max(now, next);
    if (device <= core)
      dispatch(events.pop());
    else
      runCore(limit.until);
  }
}

} // namespace neuroc::rt::spinn
