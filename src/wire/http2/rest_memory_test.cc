#include "wire/http2/rest_memory.h"

#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "io/run_in_loop.h"
#include "io/suspension.h"

namespace ballast::http2 {
namespace {

using namespace std::chrono_literals;

class Owner final : public RestMemory::Owner {
 public:
  bool is_at_rest() const override { return rests; }
  bool rests = true;
};

constexpr std::size_t frame_bytes = 16394;
constexpr std::size_t table_bytes = 4096;

struct World {
  explicit World(io::Loop& of) : loop(of), memory(of, owner, 1ms) {
    frames = static_cast<char*>(RestMemory::reallocate(nullptr, frame_bytes, &memory));
    table = static_cast<char*>(RestMemory::allocate_zeros(256, 16, &memory));
    memory.made();
    std::memset(frames, 'f', frame_bytes);
  }
  ~World() {
    RestMemory::release(frames, &memory);
    RestMemory::release(table, &memory);
  }
  io::Task<bool> until_released() {
    const io::Instant limit = loop.fresh_now() + 5s;
    while (!memory.is_released() && loop.fresh_now() < limit) co_await io::Sleep(loop.after(1ms));
    co_return memory.is_released();
  }

  io::Loop& loop;
  Owner owner;
  RestMemory memory;
  char* frames = nullptr;
  char* table = nullptr;
};

void run(io::Task<void> (*task)(World&)) {
  const auto loop = io::make_loop();
  World world(*loop);
  io::run_in(*loop, task(world));
}

TEST(RestMemory, AFrameIsForgottenAndStreamsAreNot) {
  run([](World& world) -> io::Task<void> {
    world.table[100] = 's';
    world.memory.touched();
    CO_ASSERT(co_await world.until_released());
    EXPECT_EQ(world.frames[0], '\0');
    EXPECT_EQ(world.frames[frame_bytes - 1], '\0');
    EXPECT_EQ(world.table[100], 's');
    world.frames[0] = 'g';  // it is still there to be written to
    world.table[table_bytes - 1] = 't';
    EXPECT_EQ(world.frames[0], 'g');
  });
}

TEST(RestMemory, NothingIsForgottenUnderWay) {
  run([](World& world) -> io::Task<void> {
    world.owner.rests = false;
    world.memory.touched();
    co_await io::Sleep(world.loop.after(20ms));
    EXPECT_FALSE(world.memory.is_released());
    EXPECT_EQ(world.frames[0], 'f');
    world.owner.rests = true;
    world.memory.touched();
    CO_ASSERT(co_await world.until_released());
    EXPECT_EQ(world.frames[0], '\0');
  });
}

TEST(RestMemory, WhatIsMovedOrAskedForLaterIsLeftAlone) {
  run([](World& world) -> io::Task<void> {
    world.frames = static_cast<char*>(RestMemory::reallocate(world.frames, 2 * frame_bytes, &world.memory));
    EXPECT_EQ(world.frames[frame_bytes - 1], 'f');
    auto* late = static_cast<char*>(RestMemory::reallocate(nullptr, frame_bytes, &world.memory));
    std::memset(late, 'l', frame_bytes);
    world.memory.touched();
    CO_ASSERT(co_await world.until_released());
    EXPECT_EQ(world.frames[0], 'f');
    EXPECT_EQ(late[0], 'l');
    RestMemory::release(late, &world.memory);
  });
}

}  // namespace
}  // namespace ballast::http2
