// StaticFiles: the compiled `files` of a rule: a folder whose files are sent as they are.
//
// Part of the Plan: immutable, any thread. answer() does all of a request but the sending: which file, whether the
// client has it already, which parts of it, in which coding. It blocks for as long as the disk takes to look the name
// up (docs/decisions/0015-static-files.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/folder.h"
#include "io/loop.h"
#include "traffic/files/file_name.h"
#include "traffic/files/root_folders.h"
#include "traffic/reason.h"
#include "wire/http/accept_encoding.h"
#include "wire/http/file_body.h"
#include "wire/http/message.h"

namespace ballast::traffic {

struct FileRequest {
  Bytes method;
  Bytes path;
  Bytes query;
  bool has_query = false;
  const http::Fields* fields = nullptr;
  std::int64_t now_ns = 0;       // since 1970
  std::uint64_t random = 0;      // for the boundary of several parts
  RootFolders* roots = nullptr;  // the worker's; nullptr: the root is opened
};

struct FileAnswer {
  struct Line {
    Bytes name;
    std::string value;
  };
  int status = 200;
  Reason reason = Reason::None;  // where the request found no file
  // False: there is nothing to send but `reason`.
  bool is_page = true;
  std::vector<Line> lines;
  // One of these, or nothing.
  std::unique_ptr<http::FileBody> file;
  std::string text;
  std::uint64_t length = 0;  // to be stated, also where nothing follows (HEAD)

  void add(Bytes name, std::string value) { lines.push_back({name, std::move(value)}); }
};

class StaticFiles {
 public:
  // The Error says that the folder is not there.
  static Result<std::shared_ptr<const StaticFiles>> compile(const config::Files& settings);
  // Of what is answered with 405 or 204.
  static constexpr Bytes methods = "GET, HEAD, OPTIONS";

  FileAnswer answer(const FileRequest& request, io::Loop& loop) const;

 private:
  struct Coded {
    http::Coding coding;
    Bytes ending;  // ".br"
  };
  struct Found {
    io::ReadFile file;
    std::string name;
  };
  // How a file is sent where it is not the answer to its own name.
  enum class Role : std::uint8_t { Itself, Fallback, NotFound };

  explicit StaticFiles(const config::Files& settings);
  Bytes type_of(Bytes name, std::string& storage) const;
  FileAnswer look_up(const FileRequest& request, const io::Folder& root, const FileName& name, io::Loop& loop) const;
  FileAnswer in_folder(const FileRequest& request, const io::Folder& root, const FileName& name, io::Loop& loop) const;
  FileAnswer missing(const FileRequest& request, const io::Folder& root, Reason reason, io::Loop& loop) const;
  FileAnswer send(const FileRequest& request, const io::Folder& root, Found found, Role role, io::Loop& loop) const;
  http::Coding choose_variant(const FileRequest& request, const io::Folder& root, Found& found) const;
  FileAnswer redirect_to_folder(const FileRequest& request, const FileName& name) const;
  std::string path_of(Bytes name) const;

  config::Files settings_;
  std::string prefix_;  // without a slash at its end
  std::vector<Coded> codings_;
};

// A strong entity-tag, or a weak one while the file was changed so lately that the next change may have the same time
// (docs/decisions/0015-static-files.md).
std::string entity_tag(const io::FileFacts& facts, std::int64_t now_ns);

}  // namespace ballast::traffic
