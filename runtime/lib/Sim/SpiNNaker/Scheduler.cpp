// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the machine in global time order. Device events and awake cores are
// merged: whatever is earliest goes next, a device before a core at equal time.
// Awake cores run in windows. A window begins at the earliest core and ends at
// the next device event or after the look-ahead, whichever is first; the
// look-ahead is the shortest time in which one core can be noticed by another
// (a packet through the router). Within a window cores touch nothing that they
// share, so their order does not matter: an access to shared memory ends a
// core's batch and is made when that core is the earliest of all. Results are
// therefore exact, whatever the windows.

#include "Model.h"

namespace neuroc::rt::spinn {

void Machine::Impl::makeReady(Node &node) {
  Picoseconds time = node.timeOf(node.cpu.cycle);
  firstTime = std::min(firstTime, time);
  if (!isReady[node.index]) {
    isReady[node.index] = 1;
    ready.push_back({time, node.index});
    return;
  }
  for (Awake &awake : ready) // restarted while awake
    if (awake.index == node.index)
      awake.time = time;
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

/// One batch of a core up to `end`; up to `solo` it is the earliest of all and
/// may access shared memory (its first instruction may if `first`).
bool Machine::Impl::runCore(Awake &awake, Picoseconds end, Picoseconds solo,
                            bool first) {
  Node &node = nodes[awake.index];
  Cpu &cpu = node.cpu;
  if (cpu.state == CoreState::Running) {
    cpu.limit = node.cycleAt(end);
    cpu.solo = first ? node.cycleAt(solo) : 0;
    if (budget != kForever)
      cpu.limit = std::min(cpu.limit, cpu.cycle + (budget - instructions));
    uint64_t before = cpu.instructions;
    cpu.granted = first ? before + 1 : 0;
    running = &node;
    cpu.takeInterrupt();
    if (trace)
      cpu.runTraced(trace, node.id, node.offset);
    else
      cpu.run();
    running = nullptr;
    instructions += cpu.instructions - before;
    awake.time = node.timeOf(cpu.cycle);
  }
  if (cpu.state == CoreState::Running)
    return true;
  // Asleep, halted or stopped: no longer awake.
  node.sleptAt = cpu.cycle;
  isReady[node.index] = 0;
  conditionsDue = true;
  return false;
}

void Machine::Impl::runWindow(Picoseconds until) {
  // The earliest core (the lowest number of several) and the next after it.
  size_t first = 0;
  Picoseconds second = kForever;
  for (size_t i = 1; i < ready.size(); ++i) {
    const Awake &a = ready[i], &b = ready[first];
    if (a.time < b.time || (a.time == b.time && a.index < b.index)) {
      second = std::min(second, b.time);
      first = i;
    } else {
      second = std::min(second, a.time);
    }
  }
  std::swap(ready[0], ready[first]);
  Picoseconds end = std::min(events.nextTime(), until);
  if (ready.size() > 1)
    end = std::min(end, ready[0].time + lookahead);
  size_t kept = 0;
  firstTime = kForever;
  for (size_t i = 0; i < ready.size(); ++i) {
    Awake awake = ready[i];
    bool stays = true;
    if (awake.time < end && instructions < budget)
      stays = runCore(awake, end, std::min(second, end), i == 0);
    if (stays) {
      ready[kept++] = awake;
      firstTime = std::min(firstTime, awake.time);
    }
  }
  ready.resize(kept);
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
    Picoseconds device = events.nextTime();
    Picoseconds core = ready.empty() ? kForever : firstTime;
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
      runWindow(limit.until);
  }
}

} // namespace neuroc::rt::spinn
