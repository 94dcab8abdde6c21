// Task<T>: a lazy coroutine. It starts when it is awaited, or when a Scope is given it; a Task that is neither does
// nothing.
//
//   Task<Result<Bytes>> read_line(Stream& stream, Deadline deadline);
//   Result<Bytes> line = co_await read_line(stream, deadline);        // look at the error here
//   Bytes line = co_await need(read_line(stream, deadline));          // or let it be the error of this coroutine
//
// How it runs: awaiting starts the child inline; if it settles at once the parent goes on without having been
// suspended, so any number of immediate completions uses no stack. A child that settles later resumes its parent by
// symmetric transfer. With need(), an error walks up the chain of waiting coroutines to the first one that took the
// Result itself and resumes only that one; the frames in between are destroyed, not resumed, and their locals with
// them.
//
// One thread: the one whose Loop it was started on. Tasks throw nothing; an exception that escapes one ends the
// program. Reference parameters of a coroutine must outlive its Scope. A lambda that captures must not be a coroutine.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/result.h"
#include "io/frame_pool.h"

namespace ballast::io {

class Strand;

template <typename T = void>
class Task;

namespace detail {

// What the promises of all Tasks share.
class Promise {
 public:
  // Moves the settled child's error into its waiting parent; false where it holds none.
  using PassError = bool (*)(Promise& child, Promise& parent);

  static void* operator new(std::size_t size) { return take_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::terminate(); }

  Strand* strand() const { return strand_; }
  std::coroutine_handle<Promise> handle() { return std::coroutine_handle<Promise>::from_promise(*this); }

  // Runs a child until it first suspends; true when it has settled.
  bool start(Promise* parent, Strand* strand, PassError pass_error) {
    parent_ = parent;
    strand_ = strand;
    pass_error_ = pass_error;
    starting_ = true;
    handle().resume();
    starting_ = false;
    return settled_;
  }

  // Marks this coroutine as ended and says who runs next.
  std::coroutine_handle<> settle() noexcept;

 private:
  friend class ballast::io::Strand;
  Promise* parent_ = nullptr;
  Strand* strand_ = nullptr;
  PassError pass_error_ = nullptr;
  bool starting_ = false;
  bool settled_ = false;
};

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <typename P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) const noexcept {
    return handle.promise().settle();
  }
  void await_resume() const noexcept {}
};

template <typename T>
class TypedPromise : public Promise {
 public:
  Task<T> get_return_object();
  FinalAwaiter final_suspend() noexcept { return {}; }
  template <typename U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  std::optional<T>& value() { return value_; }

 private:
  std::optional<T> value_;
};

template <>
class TypedPromise<void> : public Promise {
 public:
  Task<void> get_return_object();
  FinalAwaiter final_suspend() noexcept { return {}; }
  void return_void() {}
};

template <typename T>
struct IsResult : std::false_type {};
template <typename T>
struct IsResult<Result<T>> : std::true_type {};

template <typename T>
class NeedAwaiter;

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TypedPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(Handle child) : child_(child) {}
    bool await_ready() const noexcept { return false; }
    template <typename P>
    bool await_suspend(std::coroutine_handle<P> parent) {
      return !child_.promise().start(&parent.promise(), parent.promise().strand(), nullptr);
    }
    T await_resume() {
      if constexpr (!std::is_void_v<T>) return std::move(*child_.promise().value());
    }

   private:
    Handle child_;
  };
  Awaiter operator co_await() && { return Awaiter(handle_); }

 private:
  friend promise_type;
  friend class Strand;
  template <typename U>
  friend class detail::NeedAwaiter;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

namespace detail {

template <typename T>
Task<T> TypedPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TypedPromise<T>>::from_promise(*this));
}
inline Task<void> TypedPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TypedPromise<void>>::from_promise(*this));
}

template <typename T>
class NeedAwaiter {
 public:
  explicit NeedAwaiter(Task<Result<T>>&& task) : task_(std::move(task)) {}
  bool await_ready() const noexcept { return false; }
  template <typename U>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<TypedPromise<Result<U>>> parent) {
    Promise& child = task_.handle_.promise();
    if (!child.start(&parent.promise(), parent.promise().strand(), &pass_error<U>)) return std::noop_coroutine();
    if (pass_error<U>(child, parent.promise())) return parent.promise().settle();
    return parent;
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(**task_.handle_.promise().value());
  }

 private:
  template <typename U>
  static bool pass_error(Promise& child, Promise& parent) {
    Result<T>& result = *static_cast<TypedPromise<Result<T>>&>(child).value();
    if (result.has_value()) return false;
    static_cast<TypedPromise<Result<U>>&>(parent).value().emplace(std::unexpected(std::move(result.error())));
    return true;
  }
  Task<Result<T>> task_;
};

}  // namespace detail

// Awaits a Task<Result<T>> for its T; an error becomes the result of the awaiting coroutine, which must return a Result
// too.
template <typename T>
detail::NeedAwaiter<T> need(Task<Result<T>>&& task) {
  return detail::NeedAwaiter<T>(std::move(task));
}

}  // namespace ballast::io
