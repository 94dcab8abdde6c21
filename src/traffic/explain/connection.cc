#include "traffic/explain/connection.h"

#include <fmt/format.h>

#include "traffic/explain/rings.h"
#include "traffic/worker.h"

namespace ballast::traffic {

void keep_record(Worker& worker, const ConnectionTrouble& trouble) {
  using Text = ExplainRecord::Text;
  if (!worker.records().is_on()) return;
  auto record = std::make_shared<ExplainRecord>();
  record->kind = model::Explained::Kind::Connection;
  record->cause = trouble.cause;
  record->at = std::chrono::system_clock::now();
  record->bytes_in = trouble.bytes_in;
  record->bytes_out = trouble.bytes_out;
  const io::Instant began = trouble.began == io::Instant{} ? worker.loop().now() : trouble.began;
  record->took = worker.loop().now() - began;
  record->put(Text::Id,
              trouble.id.empty() ? Bytes(fmt::format("{:016x}{:016x}", worker.random(), worker.random())) : trouble.id);
  record->put(Text::Listener, trouble.listener.name);
  record->put(Text::Client, trouble.peer.host());
  if (trouble.told != nullptr) record->put(Text::Proxy, trouble.told->proxy.host());
  record->put(Text::Protocol, trouble.protocol.empty() ? to_string(trouble.listener.protocol) : trouble.protocol);
  record->put(Text::Sni, trouble.sni);
  record->put(Text::Rule, trouble.rule);
  record->put(Text::Group, trouble.group);
  record->put(Text::Detail, trouble.detail);
  record->put(Text::Defect, trouble.defect);
  for (const AttemptNote& note : trouble.attempts) record->put(note, began);
  worker.records().put_connection(std::move(record));
}

}  // namespace ballast::traffic
