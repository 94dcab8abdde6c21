#include "traffic/files/static_files.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/run_in_loop.h"
#include "io/system.h"
#include "traffic/files/content_type.h"
#include "traffic/files/listing.h"
#include "wire/http/http_date.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t second = 1'000'000'000;

class StaticFilesTest : public testing::Test {
 protected:
  StaticFilesTest() {
    std::string name = testing::TempDir() + "static_files_test.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    settings_.root = root_;
    write("index.html", "home");
    write("a.txt", "0123456789");
    fs::create_directory(root_ + "/folder");
    write("folder/x.css", "x");
    // An hour ahead of the files: their times are settled.
    now_ns_ = std::chrono::nanoseconds(io::now_wall().time_since_epoch()).count() + 3600 * second;
  }
  ~StaticFilesTest() override { fs::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(root_ + "/" + name) << text; }

  struct Got {
    int status = 0;
    Reason reason = Reason::None;
    std::vector<std::pair<std::string, std::string>> lines;
    std::string body;
    std::uint64_t length = 0;
    std::string header(std::string_view name) const {
      for (const auto& [key, value] : lines) {
        if (key == name) return value;
      }
      return "-";
    }
  };
  Got ask(const std::string& target, const std::vector<std::string>& fields = {}, const char* method = "GET") {
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: h\r\n", method, target);
    for (const std::string& field : fields) text += field + "\r\n";
    text += "\r\n";
    http::RequestHead head;
    EXPECT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete) << text;
    const auto files = StaticFiles::compile(settings_);
    const FileAnswer answer = (*files)->answer({.method = head.method(),
                                                .path = head.path(),
                                                .query = head.query(),
                                                .has_query = head.has_query(),
                                                .fields = &head.fields,
                                                .now_ns = now_ns_,
                                                .random = 7},
                                               *loop_);
    Got got{
        .status = answer.status, .reason = answer.reason, .lines = {}, .body = answer.text, .length = answer.length};
    for (const FileAnswer::Line& line : answer.lines) got.lines.emplace_back(line.name, line.value);
    if (answer.file != nullptr) {
      while (!answer.file->ended()) {
        const http::Pulled pulled = answer.file->try_pull();
        EXPECT_EQ(pulled.state, http::PullState::Data);
        if (pulled.state != http::PullState::Data) break;
        got.body += pulled.data;
      }
      EXPECT_EQ(got.body.size(), answer.length);
    }
    return got;
  }

  std::string root_;
  config::Files settings_;
  std::int64_t now_ns_ = 0;
  std::unique_ptr<io::Loop> loop_ = io::make_loop();
};

TEST_F(StaticFilesTest, AWholeFile) {
  const Got got = ask("/a.txt");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "0123456789");
  EXPECT_EQ(got.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(got.header("Accept-Ranges"), "bytes");
  EXPECT_EQ(got.header("Cache-Control"), "-");
  EXPECT_EQ(got.header("Vary"), "-");
  EXPECT_THAT(got.header("ETag"), StartsWith("\""));
  const Got head = ask("/a.txt", {"Range: bytes=0-1"}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.length, 10U);
  EXPECT_EQ(head.header("ETag"), got.header("ETag"));
  EXPECT_EQ(ask("/").body, "home");
}

TEST_F(StaticFilesTest, Ranges) {
  const std::string tag = ask("/a.txt").header("ETag");
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=2-4"}).body, "234");
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=2-4"}).header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=-3"}).body, "789");
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=2-4", "If-Range: " + tag}).status, 206);
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=2-4", "If-Range: \"old\""}).status, 200);
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=2-4", "If-None-Match: " + tag}).status, 304);
  EXPECT_EQ(ask("/a.txt", {"Range: bytes=50-", "If-Match: \"old\""}).status, 412);
  const Got outside = ask("/a.txt", {"Range: bytes=50-"});
  EXPECT_EQ(outside.status, 416);
  EXPECT_EQ(outside.header("Content-Range"), "bytes */10");
  EXPECT_EQ(outside.header("Content-Type"), "-");
  EXPECT_EQ(outside.length, 0U);
  const Got several = ask("/a.txt", {"Range: bytes=0-1,8-"});
  EXPECT_EQ(several.status, 206);
  EXPECT_EQ(several.header("Content-Type"), "multipart/byteranges; boundary=ballast-0000000000000007");
  EXPECT_EQ(several.header("Content-Range"), "-");
  EXPECT_EQ(
      several.body,
      "--ballast-0000000000000007\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
      "\r\n--ballast-0000000000000007\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 8-9/10\r\n\r\n"
      "89\r\n--ballast-0000000000000007--\r\n");
}

TEST_F(StaticFilesTest, WhatTheClientHas) {
  settings_.cache_control = "max-age=60";
  const Got whole = ask("/a.txt");
  const Got same = ask("/a.txt", {"If-None-Match: " + whole.header("ETag")});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("ETag"), whole.header("ETag"));
  EXPECT_EQ(same.header("Cache-Control"), "max-age=60");
  EXPECT_EQ(same.header("Content-Type"), "-");
  EXPECT_EQ(ask("/a.txt", {"If-Modified-Since: " + whole.header("Last-Modified")}).status, 304);
  EXPECT_EQ(ask("/a.txt", {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"}).status, 412);
}

// The case that a tag of size and modification time gets wrong: builds that give every file the same time.
TEST_F(StaticFilesTest, AnotherContentHasAnotherTag) {
  const auto one_time = fs::file_time_type::clock::now() - std::chrono::hours(1000);
  fs::last_write_time(root_ + "/a.txt", one_time);
  const std::string before = ask("/a.txt").header("ETag");
  write("new.txt", "9876543210");
  fs::last_write_time(root_ + "/new.txt", one_time);
  fs::rename(root_ + "/new.txt", root_ + "/a.txt");
  EXPECT_NE(ask("/a.txt").header("ETag"), before);
}

TEST_F(StaticFilesTest, ATagIsWeakWhileTheFileIsFresh) {
  const io::FileFacts facts{
      .kind = io::FileKind::Regular, .size = 5, .modified_ns = 100 * second, .changed_ns = 102 * second};
  EXPECT_THAT(entity_tag(facts, 102 * second), StartsWith("W/\""));
  EXPECT_THAT(entity_tag(facts, 103 * second - 1), StartsWith("W/\""));
  EXPECT_THAT(entity_tag(facts, 103 * second), StartsWith("\""));
  EXPECT_EQ("W/" + entity_tag(facts, 103 * second), entity_tag(facts, 0));
}

TEST_F(StaticFilesTest, ADateFromTheFutureIsNow) {
  fs::last_write_time(root_ + "/a.txt", fs::file_time_type::clock::now() + std::chrono::hours(24));
  const Got got = ask("/a.txt");
  EXPECT_EQ(got.header("Last-Modified"), got.header("Date"));
}

TEST_F(StaticFilesTest, Folders) {
  EXPECT_EQ(ask("/folder").status, 301);
  EXPECT_EQ(ask("/folder").header("Location"), "/folder/");
  EXPECT_EQ(ask("//folder?a=b").header("Location"), "/folder/?a=b");
  EXPECT_EQ(ask("/folder?").header("Location"), "/folder/?");
  EXPECT_EQ(ask("/folder/").reason, Reason::FileNotFound);
  EXPECT_EQ(ask("/a.txt/").reason, Reason::FileNotFound);
  fs::create_directory(root_ + "/<b> %");
  EXPECT_EQ(ask("/%3Cb%3E%20%25").header("Location"), "/%3Cb%3E%20%25/");
  settings_.strip_prefix = "/p/";
  EXPECT_EQ(ask("/p/folder").header("Location"), "/p/folder/");
  EXPECT_EQ(ask("/p").header("Location"), "/p/");
  EXPECT_EQ(ask("/p/").body, "home");
  EXPECT_EQ(ask("/folder").reason, Reason::FileNotFound);
  settings_.index = {"nothing", "folder", "a.txt"};
  EXPECT_EQ(ask("/p/").body, "0123456789");
  // What is sent is told by the file's own name.
  EXPECT_EQ(ask("/p/").header("Content-Type"), "text/plain; charset=utf-8");
}

TEST_F(StaticFilesTest, AListing) {
  settings_.listing = true;
  write("folder/<img src=x>&'\".txt", "12");
  write("folder/.hidden", "");
  write("folder/bad\xff", "");
  fs::create_directory(root_ + "/folder/z");
  const Got got = ask("/folder/");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(got.header("Content-Security-Policy"), "default-src 'none'");
  EXPECT_THAT(
      got.body,
      HasSubstr("<a href=\"%3Cimg%20src%3Dx%3E%26%27%22.txt\">&lt;img src=x&gt;&amp;&#39;&quot;.txt</a><td>2<td>"));
  EXPECT_THAT(got.body, HasSubstr("<a href=\"../\">"));
  EXPECT_THAT(got.body, testing::Not(HasSubstr("hidden")));
  EXPECT_THAT(got.body, testing::Not(HasSubstr("bad")));
  EXPECT_LT(got.body.find("z/"), got.body.find("x.css"));
  EXPECT_EQ(ask("/folder/", {}, "HEAD").length, got.length);
  EXPECT_EQ(ask("/folder/", {}, "HEAD").body, "");
  EXPECT_EQ(ask("/").body, "home");
}

TEST_F(StaticFilesTest, AListingSaysThatThereAreMore) {
  EXPECT_THAT(listing_page("/", {.entries = {}, .is_whole = false}), HasSubstr("There are more: only 5000 are shown."));
  EXPECT_THAT(listing_page("/", {}), testing::Not(testing::AnyOf(HasSubstr("more"), HasSubstr("../"))));
}

TEST_F(StaticFilesTest, Fallbacks) {
  settings_.fallback = "/index.html";
  settings_.cache_control = "immutable";
  const Got page = ask("/users/7");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "home");
  EXPECT_EQ(page.reason, Reason::None);
  EXPECT_EQ(page.header("Cache-Control"), "no-cache");
  EXPECT_EQ(page.header("Vary"), "Accept");
  EXPECT_EQ(ask("/users/7", {"If-None-Match: " + page.header("ETag")}).status, 304);
  EXPECT_EQ(ask("/users/a.b", {"Accept: application/xml, TEXT/html;q=0.9"}).status, 200);
  EXPECT_EQ(ask("/users/a.b", {"Accept: text/htmlx, */*"}).reason, Reason::FileNotFound);
  EXPECT_EQ(ask("/app.js").reason, Reason::FileNotFound);
  EXPECT_EQ(ask("/.env").reason, Reason::FileRefused);
  EXPECT_EQ(ask("/../x").reason, Reason::FileRefused);
  EXPECT_EQ(ask("/index.html").header("Cache-Control"), "immutable");
}

TEST_F(StaticFilesTest, APageOfItsOwnForWhatIsNotThere) {
  settings_.not_found = "/a.txt";
  const Got got = ask("/gone", {"Range: bytes=0-1", "If-None-Match: *"});
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.reason, Reason::FileNotFound);
  EXPECT_EQ(got.body, "0123456789");
  EXPECT_EQ(got.header("ETag"), "-");
  EXPECT_EQ(got.header("Last-Modified"), "-");
  EXPECT_EQ(got.header("Cache-Control"), "no-cache");
  EXPECT_EQ(ask("/.env").reason, Reason::FileRefused);
  EXPECT_EQ(ask("/.env").body, "0123456789");
  EXPECT_EQ(ask("/gone", {}, "HEAD").length, 10U);
  EXPECT_EQ(ask("/gone", {}, "POST").reason, Reason::MethodRefused);
  settings_.not_found = "gone.html";
  EXPECT_EQ(ask("/gone").status, 404);
}

TEST_F(StaticFilesTest, Precompressed) {
  settings_.precompressed = {config::ContentCoding::Brotli, config::ContentCoding::Gzip};
  write("a.txt.gz", "gzipped");
  const Got gzip = ask("/a.txt", {"Accept-Encoding: br, gzip"});
  EXPECT_EQ(gzip.body, "gzipped");
  EXPECT_EQ(gzip.header("Content-Encoding"), "gzip");
  EXPECT_EQ(gzip.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(gzip.header("Vary"), "Accept-Encoding");
  const Got plain = ask("/a.txt");
  EXPECT_EQ(plain.body, "0123456789");
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  EXPECT_NE(plain.header("ETag"), gzip.header("ETag"));
  EXPECT_EQ(ask("/a.txt", {"Accept-Encoding: gzip", "If-None-Match: " + plain.header("ETag")}).status, 200);
  EXPECT_EQ(ask("/a.txt", {"Accept-Encoding: gzip", "If-None-Match: " + gzip.header("ETag")}).header("Vary"),
            "Accept-Encoding");
  EXPECT_EQ(ask("/a.txt", {"Accept-Encoding: gzip", "Range: bytes=0-2"}).body, "gzi");
  write("a.txt.br", "brotli");
  EXPECT_EQ(ask("/a.txt", {"Accept-Encoding: br, gzip"}).body, "brotli");
  EXPECT_EQ(ask("/a.txt", {"Accept-Encoding: br;q=0.5, gzip"}).body, "gzipped");
  EXPECT_EQ(ask("/a.txt", {"Accept-Encoding: zstd"}).body, "0123456789");
  // Only of a file that is there itself, and only a file.
  write("b.txt.gz", "x");
  EXPECT_EQ(ask("/b.txt", {"Accept-Encoding: gzip"}).reason, Reason::FileNotFound);
  fs::create_directory(root_ + "/folder/x.css.gz");
  EXPECT_EQ(ask("/folder/x.css", {"Accept-Encoding: gzip"}).body, "x");
}

TEST_F(StaticFilesTest, Types) {
  settings_.types = {{.name = "TXT", .text = "text/x"}, {.name = "odd", .text = "odd/odd"}};
  write("b.odd", "");
  write("b.unknown", "");
  write("b", "");
  EXPECT_EQ(ask("/a.txt").header("Content-Type"), "text/x");
  EXPECT_EQ(ask("/b.odd").header("Content-Type"), "odd/odd");
  EXPECT_EQ(ask("/b.unknown").header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(ask("/b").header("Content-Type"), "application/octet-stream");
  settings_.charset = "";
  EXPECT_EQ(ask("/folder/x.css").header("Content-Type"), "text/css");
  EXPECT_EQ(ask("/b").length, 0U);
}

TEST_F(StaticFilesTest, Methods) {
  EXPECT_EQ(ask("/a.txt", {}, "OPTIONS").header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("*", {}, "OPTIONS").status, 204);
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "get"}) {
    EXPECT_EQ(ask("/a.txt", {}, method).reason, Reason::MethodRefused) << method;
  }
}

TEST_F(StaticFilesTest, ARootThatIsGone) {
  settings_.root = root_ + "/none";
  EXPECT_THAT(StaticFiles::compile(settings_).error().text(), StartsWith("files: cannot open the folder "));
}

TEST(ContentType, ByEnding) {
  EXPECT_EQ(content_type_of("css"), "text/css");
  EXPECT_EQ(content_type_of("CSS"), "text/css");
  EXPECT_EQ(content_type_of("webmanifest"), "application/manifest+json");
  EXPECT_EQ(content_type_of("3gp"), "video/3gpp");
  EXPECT_EQ(content_type_of("zip"), "application/zip");
  EXPECT_EQ(content_type_of(""), "");
  EXPECT_EQ(content_type_of("zzz"), "");
  EXPECT_EQ(content_type_of(std::string(1000, 'x')), "");
  EXPECT_EQ(ending_of("a.b/site.min.css"), "css");
  EXPECT_EQ(ending_of("a.b/site"), "");
  EXPECT_EQ(ending_of(".htaccess"), "");
  EXPECT_EQ(ending_of("a."), "");
  EXPECT_TRUE(has_charset("text/html"));
  EXPECT_FALSE(has_charset("text/html; charset=x"));
  EXPECT_FALSE(has_charset("image/svg+xml"));
}

}  // namespace
}  // namespace ballast::traffic
