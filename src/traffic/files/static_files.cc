#include "traffic/files/static_files.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "traffic/balance/hash.h"
#include "traffic/files/content_type.h"
#include "traffic/files/listing.h"
#include "wire/http/byte_range.h"
#include "wire/http/http_date.h"
#include "wire/http/list.h"
#include "wire/http/preconditions.h"

namespace ballast::traffic {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::string date(std::int64_t seconds) {
  const http::HttpDate text = http::write_http_date(seconds);
  return {text.data(), text.size()};
}

std::int64_t seconds_of(std::int64_t ns) {
  return ns >= 0 ? ns / second_ns : (ns - second_ns + 1) / second_ns;
}

FileAnswer only(Reason reason) {
  return {.status = status_of(reason), .reason = reason, .is_page = false};
}

Reason reason_of(Code code) {
  switch (code) {
    case Code::NotFound:
      return Reason::FileNotFound;
    case Code::Invalid:
      return Reason::FileRefused;
    case Code::Denied:
      return Reason::FileDenied;
    case Code::Exhausted:
      return Reason::Overloaded;
    default:
      return Reason::FileFailed;
  }
}

bool is_head(const FileRequest& request) {
  return request.method == "HEAD";
}

// A browser that opens a page says that it takes text/html; its scripts, styles and images do not.
bool wants_page(const FileRequest& request) {
  for (const http::Field& field : *request.fields) {
    if (!http::iequals(request.fields->name(field), "Accept")) continue;
    http::ListReader list(request.fields->value(field));
    for (Bytes item; list.next(item);) {
      if (http::iequals(item.substr(0, item.find_first_of("; \t")), "text/html")) return true;
    }
  }
  return request.path.substr(request.path.rfind('/') + 1).find('.') == Bytes::npos;
}

}  // namespace

std::string entity_tag(const io::FileFacts& facts, std::int64_t now_ns) {
  const std::array<std::uint64_t, 4> known{static_cast<std::uint64_t>(facts.modified_ns),
                                           static_cast<std::uint64_t>(facts.changed_ns), facts.size, facts.inode};
  const std::uint64_t hash =
      hash_bytes(HashPurpose::Identity, {reinterpret_cast<const char*>(known.data()), sizeof known});
  // File times move in steps of some milliseconds.
  const bool settled = now_ns - std::max(facts.modified_ns, facts.changed_ns) >= second_ns;
  return fmt::format("{}\"{:016x}-{:x}\"", settled ? "" : "W/", hash, facts.size);
}

StaticFiles::StaticFiles(const config::Files& settings) : settings_(settings), prefix_(settings.strip_prefix) {
  while (prefix_.ends_with('/')) prefix_.pop_back();
  for (const config::ContentCoding coding : settings.precompressed) {
    switch (coding) {
      case config::ContentCoding::Brotli:
        codings_.push_back({http::Coding::Brotli, ".br"});
        break;
      case config::ContentCoding::Gzip:
        codings_.push_back({http::Coding::Gzip, ".gz"});
        break;
      case config::ContentCoding::Zstd:
        codings_.push_back({http::Coding::Zstd, ".zst"});
        break;
    }
  }
  // Written as paths, used as names below the root.
  for (std::string* name : {&settings_.fallback, &settings_.not_found}) {
    name->erase(0, std::min(name->find_first_not_of('/'), name->size()));
  }
}

Result<std::shared_ptr<const StaticFiles>> StaticFiles::compile(const config::Files& settings) {
  Result<io::Folder> root = io::Folder::open(settings.root);
  if (!root) return fail(std::move(root.error()).within("files"));
  return std::shared_ptr<const StaticFiles>(new StaticFiles(settings));
}

std::string StaticFiles::path_of(Bytes name) const {
  std::string path = prefix_ + "/";
  append_path_of(path, name);
  return path;
}

FileAnswer StaticFiles::answer(const FileRequest& request, io::Loop& loop) const {
  if (request.method == "OPTIONS") {
    FileAnswer answer{.status = 204};
    answer.add("Allow", std::string(methods));
    return answer;
  }
  if (request.method != "GET" && !is_head(request)) return only(Reason::MethodRefused);
  const FileName name = file_name_of(
      request.path, {.strip_prefix = prefix_, .hidden = settings_.hidden ? HiddenFiles::Served : HiddenFiles::Refused});
  RootFolders none;
  const auto opened = (request.roots != nullptr ? *request.roots : none).get(settings_.root);
  if (!opened) return only(opened.error().code() == Code::Exhausted ? Reason::Overloaded : Reason::FileFailed);
  const io::Folder& root = **opened;
  switch (name.verdict) {
    case FileName::Verdict::Refused:
      return missing(request, root, Reason::FileRefused, loop);
    case FileName::Verdict::NotFound:
      return missing(request, root, Reason::FileNotFound, loop);
    case FileName::Verdict::Good:
      break;
  }
  return look_up(request, root, name, loop);
}

FileAnswer StaticFiles::look_up(const FileRequest& request, const io::Folder& root, const FileName& name,
                                io::Loop& loop) const {
  Result<io::ReadFile> file = root.open_file(name.name);
  if (!file) return missing(request, root, reason_of(file.error().code()), loop);
  switch (file->facts().kind) {
    case io::FileKind::Folder:
      return name.is_folder ? in_folder(request, root, name, loop) : redirect_to_folder(request, name);
    case io::FileKind::Other:
      return missing(request, root, Reason::FileRefused, loop);
    case io::FileKind::Regular:
      break;
  }
  if (name.is_folder) return missing(request, root, Reason::FileNotFound, loop);
  return send(request, root, {std::move(*file), name.name}, Role::Itself, loop);
}

FileAnswer StaticFiles::in_folder(const FileRequest& request, const io::Folder& root, const FileName& name,
                                  io::Loop& loop) const {
  for (const std::string& index : settings_.index) {
    std::string index_name = name.name.empty() ? index : name.name + "/" + index;
    Result<io::ReadFile> file = root.open_file(index_name);
    if (!file && file.error().code() != Code::NotFound) {
      return missing(request, root, reason_of(file.error().code()), loop);
    }
    if (!file || file->facts().kind != io::FileKind::Regular) continue;
    return send(request, root, {std::move(*file), std::move(index_name)}, Role::Itself, loop);
  }
  if (!settings_.listing) return missing(request, root, Reason::FileNotFound, loop);
  Result<io::Folder::Listing> listing = root.list(name.name, listing_entries_max);
  if (!listing) return missing(request, root, reason_of(listing.error().code()), loop);
  FileAnswer answer;
  answer.text = listing_page(prefix_ + "/" + name.name + (name.name.empty() ? "" : "/"), std::move(*listing));
  answer.length = answer.text.size();
  answer.add("Date", date(seconds_of(request.now_ns)));
  answer.add("Content-Type", "text/html; charset=utf-8");
  answer.add("Cache-Control", "no-cache");
  // A name that would be a script is text, whatever a browser makes of it.
  answer.add("Content-Security-Policy", "default-src 'none'");
  if (is_head(request)) answer.text.clear();
  return answer;
}

FileAnswer StaticFiles::redirect_to_folder(const FileRequest& request, const FileName& name) const {
  FileAnswer answer{.status = 301};
  // Made anew from the name: one slash at its beginning, so that it cannot name another host.
  std::string location = name.name.empty() ? prefix_ + "/" : path_of(name.name) + "/";
  if (request.has_query) location.append("?").append(request.query);
  answer.add("Date", date(seconds_of(request.now_ns)));
  answer.add("Location", std::move(location));
  return answer;
}

FileAnswer StaticFiles::missing(const FileRequest& request, const io::Folder& root, Reason reason,
                                io::Loop& loop) const {
  const auto page = [&](const std::string& name, Role role) -> std::optional<FileAnswer> {
    Result<io::ReadFile> file = root.open_file(name);
    if (!file || file->facts().kind != io::FileKind::Regular) return std::nullopt;
    return send(request, root, {std::move(*file), name}, role, loop);
  };
  if (reason == Reason::FileNotFound && !settings_.fallback.empty() && wants_page(request)) {
    if (auto answer = page(settings_.fallback, Role::Fallback)) return *std::move(answer);
  }
  if (status_of(reason) == 404 && !settings_.not_found.empty()) {
    if (auto answer = page(settings_.not_found, Role::NotFound)) {
      answer->reason = reason;
      return *std::move(answer);
    }
  }
  return only(reason);
}

// Puts the file of the best coding that is there in the place of the plain one.
http::Coding StaticFiles::choose_variant(const FileRequest& request, const io::Folder& root, Found& found) const {
  std::array<http::Coding, 3> offered;
  std::size_t count = 0;
  for (const Coded& coded : codings_) offered[count++] = coded.coding;
  while (count != 0) {
    const http::Coding best = http::choose_coding(*request.fields, {offered.data(), count});
    if (best == http::Coding::Identity) break;
    const auto coded =
        std::find_if(codings_.begin(), codings_.end(), [&](const Coded& each) { return each.coding == best; });
    Result<io::ReadFile> file = root.open_file(found.name + std::string(coded->ending));
    if (file && file->facts().kind == io::FileKind::Regular) {
      found.file = std::move(*file);
      return best;
    }
    count = static_cast<std::size_t>(std::remove(offered.begin(), offered.begin() + count, best) - offered.begin());
  }
  return http::Coding::Identity;
}

Bytes StaticFiles::type_of(Bytes name, std::string& storage) const {
  const Bytes ending = ending_of(name);
  for (const config::NamedText& given : settings_.types) {
    if (http::iequals(given.name, ending)) return given.text;
  }
  const Bytes known = content_type_of(ending);
  if (known.empty()) return "application/octet-stream";
  if (settings_.charset.empty() || !has_charset(known)) return known;
  storage = fmt::format("{}; charset={}", known, settings_.charset);
  return storage;
}

FileAnswer StaticFiles::send(const FileRequest& request, const io::Folder& root, Found found, Role role,
                             io::Loop& loop) const {
  FileAnswer answer;
  const http::Coding coding = choose_variant(request, root, found);
  const io::FileFacts& facts = found.file.facts();
  const std::uint64_t size = facts.size;
  const std::int64_t now = seconds_of(request.now_ns);
  const std::string tag = entity_tag(facts, request.now_ns);
  // One from the future would never be older than what changes it (RFC 9110 8.8.2.1).
  const std::int64_t modified = std::min(seconds_of(facts.modified_ns), now);

  answer.lines.reserve(10);
  answer.add("Date", date(now));
  const std::string_view cache = role == Role::Itself ? std::string_view(settings_.cache_control) : "no-cache";
  if (!cache.empty()) answer.add("Cache-Control", std::string(cache));
  std::string vary = codings_.empty() ? "" : "Accept-Encoding";
  if (!settings_.fallback.empty() && role != Role::Itself) vary += vary.empty() ? "Accept" : ", Accept";
  if (!vary.empty()) answer.add("Vary", std::move(vary));

  const http::Validators validators{.tag = tag, .modified = modified, .now = now};
  http::ByteRanges ranges;
  if (role == Role::NotFound) {
    answer.status = 404;
  } else {
    answer.add("ETag", tag);
    answer.add("Last-Modified", date(modified));
    switch (http::judge(*request.fields, validators, http::Access::Read)) {
      case http::Verdict::NotModified:
        answer.status = 304;
        return answer;
      case http::Verdict::Failed:
        answer.status = 412;
        return answer;
      case http::Verdict::Proceed:
        break;
    }
    answer.add("Accept-Ranges", "bytes");
    const http::Field* range = is_head(request) ? nullptr : request.fields->find("Range");
    if (range != nullptr && http::range_applies(*request.fields, validators)) {
      ranges = http::parse_ranges(request.fields->value(*range), size);
    }
  }
  if (ranges.answer == http::ByteRanges::Answer::Unsatisfiable) {
    answer.status = 416;
    answer.add("Content-Range", fmt::format("bytes */{}", size));
    return answer;
  }
  if (coding != http::Coding::Identity) answer.add("Content-Encoding", std::string(to_string(coding)));
  std::string storage;
  std::string type(type_of(found.name, storage));
  const auto content_range = [size](const http::ByteRange& range) {
    return fmt::format("bytes {}-{}/{}", range.first, range.last(), size);
  };
  std::vector<http::FileBody::Part> parts;
  std::string after;
  if (ranges.count == 0) {
    parts.push_back({.before = {}, .first = 0, .size = size});
    answer.add("Content-Type", std::move(type));
  } else if (ranges.count == 1) {
    answer.status = 206;
    parts.push_back({.before = {}, .first = ranges.each[0].first, .size = ranges.each[0].size});
    answer.add("Content-Range", content_range(ranges.each[0]));
    answer.add("Content-Type", std::move(type));
  } else {
    // RFC 9110 14.6. Random, so that no file can hold it by intent.
    answer.status = 206;
    const std::string boundary = fmt::format("ballast-{:016x}", request.random);
    for (std::size_t i = 0; i < ranges.count; ++i) {
      parts.push_back({.before = fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
                                             i == 0 ? "" : "\r\n", boundary, type, content_range(ranges.each[i])),
                       .first = ranges.each[i].first,
                       .size = ranges.each[i].size});
    }
    after = fmt::format("\r\n--{}--\r\n", boundary);
    answer.add("Content-Type", fmt::format("multipart/byteranges; boundary={}", boundary));
  }
  answer.length = after.size();
  for (const http::FileBody::Part& part : parts) answer.length += part.before.size() + part.size;
  if (!is_head(request)) {
    answer.file = std::make_unique<http::FileBody>(loop, std::move(found.file), std::move(parts), std::move(after));
  }
  return answer;
}

}  // namespace ballast::traffic
