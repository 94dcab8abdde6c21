// What of TLS is left to the kernel.
#pragma once

namespace ballast::config {

// Auto: what is worth it, where the kernel can (see docs/guide/tls.md).
enum class KernelTls { Auto, Off };

}  // namespace ballast::config
