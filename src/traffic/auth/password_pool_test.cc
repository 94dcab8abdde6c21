#include "traffic/auth/password_pool.h"

#include <atomic>
#include <semaphore>

#include <gtest/gtest.h>

#include "io/run_in_loop.h"
#include "traffic/auth/crypto/bcrypt.h"

namespace ballast::traffic::auth {
namespace {

using Door = PasswordDoor;

Door::Question question(std::string user, std::string password, bool is_known_user = true) {
  return {.hash = "hash of " + user,
          .credentials = {.user = std::move(user), .password = std::move(password)},
          .is_known_user = is_known_user};
}

// Counts, and finds "secret" right.
struct Judge {
  std::atomic<int> tries = 0;
  PasswordPool pool{[this](const std::string&, const std::string& password) {
    ++tries;
    return password == "secret";
  }};
};

io::Task<void> asks_once(io::Loop& loop) {
  Judge judge;
  Door door(loop, &judge.pool);
  const io::Deadline soon = loop.after(std::chrono::seconds(10));
  EXPECT_EQ(co_await door.ask(question("ann", "wrong"), soon), PasswordVerdict::Wrong);
  EXPECT_EQ(co_await door.ask(question("ann", "secret"), soon), PasswordVerdict::Right);
  EXPECT_EQ(judge.tries, 2);
  // What was right is known; what was wrong is tried again.
  EXPECT_EQ(co_await door.ask(question("ann", "secret"), soon), PasswordVerdict::Right);
  EXPECT_EQ(judge.tries, 2);
  EXPECT_EQ(co_await door.ask(question("ann", "wrong"), soon), PasswordVerdict::Wrong);
  EXPECT_EQ(judge.tries, 3);
  // Another user with the same password, and one who does not exist.
  EXPECT_EQ(co_await door.ask(question("bob", "secret"), soon), PasswordVerdict::Right);
  EXPECT_EQ(judge.tries, 4);
  EXPECT_EQ(co_await door.ask(question("eve", "secret", false), soon), PasswordVerdict::Wrong);
  EXPECT_EQ(co_await door.ask(question("eve", "secret", false), soon), PasswordVerdict::Wrong);
  EXPECT_EQ(judge.tries, 6);
  // A changed hash is not known any more.
  Door::Question changed = question("ann", "secret");
  changed.hash = "a new hash";
  EXPECT_EQ(co_await door.ask(std::move(changed), soon), PasswordVerdict::Right);
  EXPECT_EQ(judge.tries, 7);
  // Another worker asks the pool, which knows.
  Door other(loop, &judge.pool);
  EXPECT_EQ(co_await other.ask(question("ann", "secret"), soon), PasswordVerdict::Right);
  EXPECT_EQ(judge.tries, 7);
  judge.pool.close();
  EXPECT_EQ(co_await door.ask(question("ann", "wrong"), soon), PasswordVerdict::Busy);
}

TEST(Passwords, AreTriedOnceAndThenKnown) {
  const auto loop = io::make_loop();
  io::run_in(*loop, asks_once(*loop));
}

io::Task<void> ask_into(Door& door, int number, std::vector<PasswordVerdict>& verdicts, io::Deadline deadline) {
  verdicts.push_back(co_await door.ask(question(std::to_string(number), "secret"), deadline));
}

io::Task<void> overfill(io::Loop& loop) {
  std::counting_semaphore<200> may_go(0);
  std::counting_semaphore<200> began(0);
  PasswordPool pool([&](const std::string&, const std::string&) {
    began.release();
    may_go.acquire();
    return true;
  });
  Door door(loop, &pool);
  std::vector<PasswordVerdict> verdicts;
  io::Scope scope(loop);
  const io::Deadline soon = loop.after(std::chrono::seconds(20));
  for (int i = 0; i < PasswordPool::threads; ++i) scope.spawn(ask_into(door, i, verdicts, soon));
  for (int i = 0; i < PasswordPool::threads; ++i) began.acquire();  // both threads are at work, the queue is empty
  const int fits = static_cast<int>(PasswordPool::queue_max);
  for (int i = 0; i < fits + 3; ++i) scope.spawn(ask_into(door, 100 + i, verdicts, soon));
  EXPECT_EQ(verdicts, std::vector<PasswordVerdict>(3, PasswordVerdict::Busy));
  verdicts.clear();
  may_go.release(fits + PasswordPool::threads);
  co_await scope.closed(soon);
  EXPECT_EQ(verdicts, std::vector<PasswordVerdict>(static_cast<std::size_t>(fits + PasswordPool::threads),
                                                   PasswordVerdict::Right));
  // One that is called off, and one whose time is over, while the pool is at it.
  verdicts.clear();
  scope.spawn(ask_into(door, 1000, verdicts, loop.after(std::chrono::milliseconds(5))));
  began.acquire();
  co_await scope.closed(soon);
  EXPECT_EQ(verdicts, std::vector<PasswordVerdict>{PasswordVerdict::Busy});
  verdicts.clear();
  scope.spawn(ask_into(door, 1001, verdicts, soon));
  co_await scope.close();
  EXPECT_EQ(verdicts, std::vector<PasswordVerdict>{PasswordVerdict::Cancelled});
  may_go.release(10);
}

TEST(Passwords, BeyondTheQueueAreRefusedAtOnce) {
  const auto loop = io::make_loop();
  io::run_in(*loop, overfill(*loop));
}

TEST(Passwords, CacheForgetsTheOldestAndWhatIsOld) {
  CredentialCache cache;
  const io::Instant begin{};
  const auto digest = [](std::size_t number) {
    Digest made{};
    std::memcpy(made.data(), &number, sizeof number);
    return made;
  };
  for (std::size_t i = 0; i < CredentialCache::kept_max + 10; ++i) cache.add(digest(i), begin);
  EXPECT_EQ(cache.size(), CredentialCache::kept_max);
  EXPECT_FALSE(cache.knows(digest(9), begin));
  EXPECT_TRUE(cache.knows(digest(10), begin));
  EXPECT_TRUE(cache.knows(digest(10), begin + CredentialCache::kept_for - std::chrono::seconds(1)));
  EXPECT_FALSE(cache.knows(digest(10), begin + CredentialCache::kept_for));
  cache.add(digest(10), begin + CredentialCache::kept_for);
  EXPECT_TRUE(cache.knows(digest(10), begin + CredentialCache::kept_for));
  EXPECT_EQ(cache.size(), CredentialCache::kept_max);
}

TEST(Bcrypt, TellsTheRightPassword) {
  const struct {
    std::string hash;
    std::string password;
    bool right;
  } cases[] = {
      {"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "secret", true},
      {"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "Secret", false},
      {"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "", false},
      {"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", std::string("secret\0more", 11), false},
      {"$2b$04$ABCDEFGHIJKLMNOPQRSTUuehC1EpP/PASx2IdPqZEHtFv7CrmycOO", "pass", true},
      {"$2a$04$ABCDEFGHIJKLMNOPQRSTUu5EclbGkj48wF9SgfvnScDZ/UL45pUFe", "\xc3\xbcmlaut:x", true},
      {"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0b", "secret", false},
      {"not a hash", "secret", false},
      {"", "", false},
  };
  for (const auto& each : cases) EXPECT_EQ(is_password_of(each.hash, each.password), each.right) << each.hash;
  const std::string nobody = hash_of_nobody(4);
  EXPECT_EQ(nobody.size(), 60U);
  EXPECT_FALSE(is_password_of(nobody, "x"));
  // It is a hash that is really worked at: the same salt gives one of the same beginning.
  EXPECT_TRUE(is_password_of("$2y$04$0123456789ABCDEFabcdeuDg0aMYH4c6rD2bRg9yKv8OhoQNN3hnG", "x"));
  EXPECT_TRUE(nobody.starts_with("$2y$04$0123456789ABCDEFabcdeu"));
}

}  // namespace
}  // namespace ballast::traffic::auth
