// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Communication: messages by tag, counted stores, events, the host mailbox.
// These instructions are carried out in the machine-wide order of their
// cycles; a receive takes only what has arrived by then, so a message that is
// sent later but arrives earlier is never overlooked.
#include "MachineImpl.h"

namespace neuroc::rt::xbar {
namespace {

uint64_t wordCycles(const MachineConfig &m, int64_t words) {
  return transferCycles(m, uint64_t(words)).busy;
}

template <typename Queue, typename Item>
void insertByArrival(Queue &queue, Item item) {
  auto at = queue.end();
  while (at != queue.begin() && std::prev(at)->arrival > item.arrival)
    --at;
  queue.insert(at, std::move(item));
}

} // namespace

/// Stores that have arrived are done in order of arrival; one that finds a
/// word with consumers left holds up those behind it.
void Machine::Impl::applyStores(Tile &tile, uint64_t when) {
  while (!tile.stores.empty() && tile.stores.front().arrival <= when) {
    const Packet &store = *tile.stores.front().packet;
    uint32_t end = store.address + uint32_t(store.words.size());
    auto taken = tile.consumers.lower_bound(store.address);
    if (taken != tile.consumers.end() && taken->first < end)
      return;
    std::copy(store.words.begin(), store.words.end(),
              tile.memory.begin() + store.address);
    counters.memoryWords += store.words.size();
    for (uint32_t at = store.address; at < end && store.count; ++at)
      tile.consumers[at] = store.count;
    tile.stores.pop_front();
  }
}

/// A packet is about to be in a tile; its tail arrives later.
void Machine::Impl::deliver(uint32_t number,
                            const std::shared_ptr<const Packet> &packet,
                            uint64_t arrival) {
  Tile &to = tiles[number];
  Stall reader = Stall::Message;
  switch (packet->kind) {
  case Packet::Kind::Message:
    insertByArrival(to.inbox[packet->tag], Message{arrival, packet});
    break;
  case Packet::Kind::Store:
    insertByArrival(to.stores, CountedStore{arrival, packet});
    reader = Stall::Counted;
    break;
  case Packet::Kind::Signal: {
    auto &queue = to.events[size_t(packet->tag)];
    queue.insert(std::upper_bound(queue.begin(), queue.end(), arrival),
                 arrival);
    reader = Stall::Event;
    break;
  }
  }
  if (to.state == TileState::Waiting && to.waitingFor == reader)
    wake(to, arrival);
}

Status Machine::Impl::executeNetwork(Tile &tile, const Decoded &d,
                                     bool &blocked) {
  const auto &reg = tile.reg;
  int64_t a = reg[d.a()], b = reg[d.b()], c = reg[d.c()], n = reg[d.d()];
  auto words = [&](int64_t address, int64_t count) {
    auto first = tile.memory.begin() + address;
    counters.memoryWords += uint64_t(count);
    return std::vector<int32_t>(first, first + count);
  };
  /// Waits for the range, and for its turn among the tiles.
  auto ready = [&](int64_t address, int64_t count, bool writes, uint64_t port) {
    awaitRange(tile, address, count, writes);
    stall(tile, Stall::Port, port);
    blocked = mustYield(tile);
    return !blocked;
  };
  auto checkTileNumber = [&](int64_t number) -> Status {
    if (number >= 0 && size_t(number) < tiles.size() &&
        !tiles[size_t(number)].code.empty())
      return Status::ok();
    return fault(tile, "tile " + std::to_string(number) +
                           (number >= 0 && size_t(number) < tiles.size()
                                ? " has no program"
                                : " does not exist, the machine has " +
                                      std::to_string(tiles.size())));
  };
  auto checkWords = [&](const char *what, int64_t address,
                        int64_t count) -> Status {
    if (Status status = checkLength(tile, count); !status)
      return status;
    return checkRange(tile, what, address, count);
  };
  /// Books the port for a packet that leaves now, and injects it.
  auto depart = [&](int64_t address, int64_t count, Packet packet,
                    std::vector<uint32_t> to) {
    uint64_t flits = messageFlits(config, uint64_t(count));
    uint64_t busy = std::max(flits, wordCycles(config, count));
    tile.portFree = tile.time + busy;
    book(tile, address, count, false, tile.portFree);
    packet.words = words(address, count);
    mesh.inject(std::make_shared<const Packet>(std::move(packet)), tile.number,
                std::move(to), tile.time, flits, counters);
  };
  /// Blocks until `queue` has `count` messages that have arrived.
  auto await = [&](const std::deque<Message> *queue, size_t count,
                   Stall cause) {
    if (queue && queue->size() >= count) {
      uint64_t last = (*queue)[count - 1].arrival;
      if (last <= tile.time)
        return true;
      sleep(tile, cause, last);
    } else {
      sleep(tile, cause, UINT64_MAX);
    }
    blocked = true;
    return false;
  };
  /// Books the receiving side for words that are copied from now on.
  auto accept = [&](int64_t address, int64_t count) {
    uint64_t done = tile.time + 1 + wordCycles(config, count);
    tile.receiveFree = done;
    book(tile, address, count, true, done);
    counters.memoryWords += uint64_t(count);
    return done;
  };

  switch (d.op) {
  case Op::Send: {
    if (Status status = checkTileNumber(b); !status)
      return status;
    if (Status status = checkWords("source", a, n); !status)
      return status;
    if (!ready(a, n, false, tile.portFree))
      return Status::ok();
    depart(a, n, {Packet::Kind::Message, int32_t(c)}, {uint32_t(b)});
    return Status::ok();
  }
  case Op::Mcast: {
    int64_t count = reg[d.e()];
    if (Status status = checkWords("source", a, n); !status)
      return status;
    if (Status status = checkWords("list", b, count); !status)
      return status;
    std::vector<uint32_t> to;
    for (int64_t i = 0; i < count; ++i) {
      int64_t number = tile.memory[size_t(b + i)];
      if (Status status = checkTileNumber(number); !status)
        return status;
      to.push_back(uint32_t(number));
    }
    awaitRange(tile, b, count, false);
    if (!ready(a, n, false, tile.portFree))
      return Status::ok();
    counters.memoryWords += uint64_t(count);
    depart(a, n, {Packet::Kind::Message, int32_t(c)}, std::move(to));
    return Status::ok();
  }
  case Op::Recv: {
    int64_t messages = operand<Op::Recv, "n">(d);
    bool add = operand<Op::Recv, "acc">(d);
    if (Status status = checkLength(tile, n); !status)
      return status;
    int64_t total = add ? n : n * messages;
    if (Status status = checkWords("destination", a, total); !status)
      return status;
    if (!ready(a, total, true, tile.receiveFree))
      return Status::ok();
    std::deque<Message> &queue = tile.inbox[int32_t(c)];
    if (!await(&queue, size_t(messages), Stall::Message))
      return Status::ok();
    int64_t at = a;
    for (int64_t i = 0; i < messages; ++i) {
      const std::vector<int32_t> &from = queue.front().packet->words;
      if (int64_t(from.size()) != n)
        return fault(tile, "a message of " + std::to_string(from.size()) +
                               " words came under tag " + std::to_string(c) +
                               ", expected " + std::to_string(n));
      for (int64_t k = 0; k < n; ++k) {
        int32_t &word = tile.memory[size_t(at + k)];
        word = add ? saturate(int64_t(word) + from[size_t(k)],
                              counters.saturations)
                   : from[size_t(k)];
      }
      at += add ? 0 : n;
      queue.pop_front();
    }
    accept(a, add ? n : total);
    if (add) // every message passes through the adder
      tile.receiveFree =
          tile.time + 1 + wordCycles(config, n) * uint64_t(messages);
    return Status::ok();
  }
  case Op::Recvv: {
    if (Status status = checkLength(tile, n); !status)
      return status;
    if (Status status = checkWords("destination", b, n); !status)
      return status;
    if (!ready(b, n, true, tile.receiveFree))
      return Status::ok();
    std::deque<Message> &queue = tile.inbox[int32_t(c)];
    if (!await(&queue, 1, Stall::Message))
      return Status::ok();
    std::shared_ptr<const Packet> packet = std::move(queue.front().packet);
    const std::vector<int32_t> &from = packet->words;
    queue.pop_front();
    if (int64_t(from.size()) > n)
      return fault(tile, "a message of " + std::to_string(from.size()) +
                             " words came under tag " + std::to_string(c) +
                             ", at most " + std::to_string(n) + " expected");
    std::copy(from.begin(), from.end(), tile.memory.begin() + b);
    uint64_t done = accept(b, int64_t(from.size()));
    setRegister(tile, d.a(), int32_t(from.size()), done);
    return Status::ok();
  }
  case Op::Put: {
    if (Status status = checkTileNumber(b); !status)
      return status;
    if (Status status = checkWords("source", a, n); !status)
      return status;
    if (Status status = checkWords("address", c, n); !status)
      return status;
    if (!ready(a, n, false, tile.portFree))
      return Status::ok();
    depart(a, n,
           {Packet::Kind::Store, 0, uint32_t(c),
            uint32_t(operand<Op::Put, "count">(d))},
           {uint32_t(b)});
    return Status::ok();
  }
  case Op::Ldc: {
    if (Status status = checkWords("source", b, n); !status)
      return status;
    if (Status status = checkWords("destination", a, n); !status)
      return status;
    awaitRange(tile, b, n, false);
    if (!ready(a, n, true, tile.receiveFree))
      return Status::ok();
    applyStores(tile, tile.time);
    for (int64_t i = 0; i < n; ++i)
      if (!tile.consumers.count(uint32_t(b + i))) {
        blocked = true;
        uint64_t next = UINT64_MAX;
        for (const CountedStore &store : tile.stores)
          if (store.arrival > tile.time)
            next = std::min(next, store.arrival);
        sleep(tile, Stall::Counted, next);
        return Status::ok();
      }
    std::vector<int32_t> from = words(b, n);
    std::copy(from.begin(), from.end(), tile.memory.begin() + a);
    for (int64_t i = 0; i < n; ++i) {
      auto entry = tile.consumers.find(uint32_t(b + i));
      if (--entry->second == 0)
        tile.consumers.erase(entry);
    }
    accept(a, n);
    applyStores(tile, tile.time);
    return Status::ok();
  }
  case Op::Signal: {
    if (Status status = checkTileNumber(b); !status)
      return status;
    if (!ready(0, 0, false, tile.portFree))
      return Status::ok();
    depart(0, 0,
           {Packet::Kind::Signal, int32_t(operand<Op::Signal, "event">(d))},
           {uint32_t(b)});
    return Status::ok();
  }
  case Op::Wait: {
    if (!ready(0, 0, false, tile.time))
      return Status::ok();
    auto &queue = tile.events[size_t(operand<Op::Wait, "event">(d))];
    size_t count = size_t(operand<Op::Wait, "count">(d));
    if (count == 0)
      return Status::ok();
    if (queue.size() < count || queue[count - 1] > tile.time) {
      blocked = true;
      sleep(tile, Stall::Event,
            queue.size() < count ? UINT64_MAX : queue[count - 1]);
      return Status::ok();
    }
    queue.erase(queue.begin(), queue.begin() + std::ptrdiff_t(count));
    return Status::ok();
  }
  case Op::Hsend: {
    if (Status status = checkWords("source", a, n); !status)
      return status;
    if (!ready(a, n, false, tile.portFree))
      return Status::ok();
    uint64_t rate = uint64_t(config.hostWordsPerCycle);
    tile.portFree =
        tile.time + std::max<uint64_t>(1, (uint64_t(n) + rate - 1) / rate);
    book(tile, a, n, false, tile.portFree);
    counters.hostWords += uint64_t(n);
    outbox.push_back({tile.number, int32_t(c),
                      tile.portFree + uint64_t(config.hostCycles),
                      words(a, n)});
    return Status::ok();
  }
  default: { // hrecv
    if (Status status = checkWords("destination", a, n); !status)
      return status;
    if (!ready(a, n, true, tile.receiveFree))
      return Status::ok();
    std::deque<Message> &queue = tile.hostInbox[int32_t(c)];
    if (!await(&queue, 1, Stall::Host))
      return Status::ok();
    std::shared_ptr<const Packet> packet = std::move(queue.front().packet);
    const std::vector<int32_t> &from = packet->words;
    queue.pop_front();
    if (int64_t(from.size()) != n)
      return fault(tile, "the host posted " + std::to_string(from.size()) +
                             " words on channel " + std::to_string(c) +
                             ", expected " + std::to_string(n));
    std::copy(from.begin(), from.end(), tile.memory.begin() + a);
    accept(a, n);
    return Status::ok();
  }
  }
}

} // namespace neuroc::rt::xbar
