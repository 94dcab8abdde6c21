#include "io/sandbox.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ballast::io {
namespace {

std::string refused(const char* what, int error) {
  return fmt::format("{}: {}", what, std::strerror(error));
}

// Files of other users for one that was started by root (keys, logs); not binding, which the keeper does.
constexpr std::array<unsigned, 5> kept_always{CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN, CAP_FSETID};

std::string drop_capabilities(const Sandbox& sandbox) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return refused("read the capabilities", errno);
  std::array<std::uint32_t, 2> keep{};
  const auto add = [&](unsigned capability) { keep[capability / 32] |= 1U << (capability % 32); };
  for (const unsigned each : kept_always) add(each);
  if (sandbox.transparent == Sandbox::Transparent::Yes) add(CAP_NET_ADMIN);
  const bool may_bound = (sets[0].effective & (1U << CAP_SETPCAP)) != 0;
  for (unsigned each = 0; may_bound && each <= CAP_LAST_CAP; ++each) {
    if ((keep[each / 32] & (1U << (each % 32))) == 0) ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sets[i].permitted &= keep[i];
    sets[i].effective = sets[i].permitted;
    sets[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return refused("give up capabilities", errno);
  return {};
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BALLAST_IS_TRACED_BY_ITSELF  // the leak checker looks at its own process with ptrace
#endif
#endif

constexpr std::array forbidden{
// Other processes.
#ifndef BALLAST_IS_TRACED_BY_ITSELF
    SCMP_SYS(ptrace),
#endif
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    // Code and hooks in the kernel.
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(lookup_dcookie),
    // The machine.
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(reboot),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(quotactl_fd),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
    SCMP_SYS(nfsservctl),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    // Ways around: namespaces, keys of others, open by handle, personalities.
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(personality),
    SCMP_SYS(mbind),
    SCMP_SYS(set_mempolicy),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(move_pages),
};

std::string forbid_calls() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return "make a filter of system calls: out of memory";
  int error = 0;
  for (const int call : forbidden) {
    // One that this processor does not have is skipped by the library itself.
    if (error == 0) error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
  }
  if (error == 0) error = seccomp_load(filter);
  seccomp_release(filter);
  return error == 0 ? std::string() : refused("forbid system calls", -error);
}

}  // namespace

std::vector<std::string> enter(const Sandbox& sandbox) {
  std::vector<std::string> troubles;
  const auto note = [&](std::string trouble) {
    if (!trouble.empty()) troubles.push_back(std::move(trouble));
  };
  note(drop_capabilities(sandbox));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) note(refused("give up new privileges", errno));
  note(forbid_calls());
  return troubles;
}

}  // namespace ballast::io
