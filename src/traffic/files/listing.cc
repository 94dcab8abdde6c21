#include "traffic/files/listing.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "traffic/files/file_name.h"
#include "wire/http/http_date.h"

namespace ballast::traffic {
namespace {

void append_escaped(std::string& out, Bytes text) {
  for (const char byte : text) {
    switch (byte) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Names that are not UTF-8 are left out before; what controls a terminal or a line is not shown.
        out.push_back(static_cast<std::uint8_t>(byte) < 0x20 || byte == 0x7f ? '?' : byte);
    }
  }
}

}  // namespace

std::string listing_page(Bytes path, io::Folder::Listing listing) {
  auto& entries = listing.entries;
  // What could not be asked for is not offered.
  std::erase_if(entries, [](const io::Folder::Entry& entry) { return !is_utf8(entry.name); });
  std::sort(entries.begin(), entries.end(), [](const io::Folder::Entry& left, const io::Folder::Entry& right) {
    const bool left_folder = left.facts.kind == io::FileKind::Folder;
    const bool right_folder = right.facts.kind == io::FileKind::Folder;
    return left_folder != right_folder ? left_folder : left.name < right.name;
  });
  std::string page = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>";
  append_escaped(page, path);
  page += "</title>\n<h1>";
  append_escaped(page, path);
  page += "</h1>\n<table>\n";
  if (path != "/") page += "<tr><td><a href=\"../\">../</a>\n";
  for (const io::Folder::Entry& entry : entries) {
    const bool folder = entry.facts.kind == io::FileKind::Folder;
    page += "<tr><td><a href=\"";
    append_path_of(page, entry.name);
    if (folder) page.push_back('/');
    page += "\">";
    append_escaped(page, entry.name);
    if (folder) page.push_back('/');
    const http::HttpDate date = http::write_http_date(entry.facts.modified_ns / 1'000'000'000);
    fmt::format_to(std::back_inserter(page), "</a><td>{}<td>{}\n", folder ? "" : fmt::format("{}", entry.facts.size),
                   Bytes(date.data(), date.size()));
  }
  page += "</table>\n";
  if (!listing.is_whole) {
    fmt::format_to(std::back_inserter(page), "<p>There are more: only {} are shown.\n", listing_entries_max);
  }
  page += "</html>\n";
  return page;
}

}  // namespace ballast::traffic
