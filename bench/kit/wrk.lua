-- Spreads the threads over the addresses and prints the result as one line of JSON.
local next_address = 0

function setup(thread)
   local addresses = {}
   for address in os.getenv("BENCH_ADDRESSES"):gmatch("%S+") do
      addresses[#addresses + 1] = address
   end
   local address = addresses[next_address % #addresses + 1]
   next_address = next_address + 1
   thread.addr = wrk.lookup(address, os.getenv("BENCH_PORT"))[1]
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      'BENCH {"requests": %d, "duration_us": %d, "bytes": %.0f, "p50_us": %.1f, "p99_us": %.1f, ' ..
      '"errors": {"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
