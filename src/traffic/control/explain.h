// The answer to `ballast explain`: asks every worker for what it keeps, and picks from it.
//
// Control thread, which waits for the workers, half a second at most: they hand over pointers to records that nobody
// changes any more, which takes them microseconds. One that is too busy is named as missing in the answer.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/explained.h"
#include "traffic/explain/rings.h"

namespace ballast::config {
struct Settings;
}

namespace ballast::traffic {

class Worker;

struct ExplainSource {
  std::span<const std::unique_ptr<Worker>> workers;
  const config::Settings& settings;
  model::WallTime started;
};

// An Error where the query names what cannot be.
Result<model::ExplainAnswer> explain(const ExplainSource& source, const model::ExplainQuery& query);

// Whether a record is asked for.
bool fits(const ExplainRecord& record, const model::ExplainQuery& query);
// Those that are asked for, the newest first, at most query.count.
std::vector<model::Explained> pick(std::vector<ExplainRecordPtr> records, const model::ExplainQuery& query);

}  // namespace ballast::traffic
