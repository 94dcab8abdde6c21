#include "config/schema.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/load.h"
#include "config/memory_files.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using testing::HasSubstr;

std::filesystem::path reference_page() {
  return std::filesystem::path(BALLAST_SOURCE_DIRECTORY) / "docs/guide/reference.md";
}

TEST(Reference, TheCommittedPageIsTheGeneratedOne) {
  if (std::getenv("BALLAST_WRITE_REFERENCE")) std::ofstream(reference_page()) << reference_markdown();
  std::ifstream file(reference_page());
  std::stringstream committed;
  committed << file.rdbuf();
  EXPECT_TRUE(committed.str() == reference_markdown())
      << "docs/guide/reference.md is out of date; write it anew with BALLAST_WRITE_REFERENCE=1 and this test";
}

TEST(Reference, TellsDefaultsBoundsAndRestarts) {
  const std::string page = reference_markdown();
  EXPECT_THAT(page,
              HasSubstr("| `interval` | duration, 100ms to 5m | 30s | From the start of one check of a target to the "
                        "start of the next. Example: `5s` |"));
  EXPECT_THAT(page, HasSubstr("**A change needs a restart.**"));
  EXPECT_THAT(page, HasSubstr("- `maglev`: as source_hash"));
  EXPECT_THAT(page, HasSubstr("[Health check](#health-check), or off"));
}

// Every section, and every section below it, once.
void collect(const Shape& shape, std::map<std::string, SectionShape>& sections) {
  for (const Shape& part : shape.parts) collect(part, sections);
  if (!shape.section || !sections.emplace(shape.section->name, *shape.section).second) return;
  for (const PropertyShape& property : shape.section->properties) collect(property.shape, sections);
}

TEST(Schema, EveryPropertyIsDocumentedWithAnExample) {
  std::map<std::string, SectionShape> sections;
  collect(settings_kind()->shape(), sections);
  EXPECT_GE(sections.size(), 20U);
  for (const auto& [name, section] : sections) {
    EXPECT_FALSE(section.doc.empty()) << name;
    for (const PropertyShape& property : section.properties) {
      const std::string where = fmt::format("{}.{}", name, property.name);
      EXPECT_THAT(std::string(property.doc), testing::EndsWith(".")) << where;
      EXPECT_FALSE(property.example.empty()) << where;
      EXPECT_FALSE(property.shape.words.empty()) << where;
    }
  }
}

// The text of a section in flow style, with one property as its example shows it and what else the section demands.
std::string example_of(const SectionShape& section, const PropertyShape& shown) {
  std::string text = fmt::format("{}: {}", shown.name, shown.example);
  const bool is_action = std::ranges::find(section.exactly_one, shown.name) != section.exactly_one.end();
  if (!section.exactly_one.empty() && !is_action) text += fmt::format(", {}: site", section.exactly_one[0]);
  for (const PropertyShape& property : section.properties) {
    const bool needed = property.required || property.default_words == "required";
    if (needed && property.name != shown.name) text += fmt::format(", {}: {}", property.name, property.example);
  }
  return "{ " + text + " }";
}

TEST(Schema, EveryExampleIsTaken) {
  // Where a section stands in a whole file; {} is the section.
  const std::map<std::string, std::string> places{
      {"configuration", "{}"},
      {"listener", "{{ listeners: {{ x: {} }} }}"},
      {"limits", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, limits: {} }} }} }}"},
      {"rate_limit", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rate_limits: {} }} }} }}"},
      {"network_file", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, deny: {} }} }} }}"},
      {"listener_timeouts",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, timeouts: {} }} }} }}"},
      {"proxy_protocol",
       "{{ listeners: {{ x: {{ address: 'unix:/s', default: {{ forward: site }}, proxy_protocol: {} }} }} }}"},
      {"http2", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, http2: {} }} }} }}"},
      {"default", "{{ listeners: {{ x: {{ address: ':80', default: {} }} }} }}"},
      {"rule", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rules: [{}] }} }} }}"},
      {"match",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rules: [{{ forward: site, match: {} }}] "
       "}} }} }}"},
      {"regex",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rules: [{{ forward: site, match: {{ path: "
       "{} }} }}] "
       "}} }} }}"},
      {"redirect", "{{ listeners: {{ x: {{ address: ':80', default: {{ redirect: {} }} }} }} }}"},
      {"fixed_response", "{{ listeners: {{ x: {{ address: ':80', default: {{ fixed_response: {} }} }} }} }}"},
      {"compression", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, compression: {} }} }} }}"},
      {"files", "{{ listeners: {{ x: {{ address: ':80', default: {{ files: {} }} }} }} }}"},
      {"file", "{{ listeners: {{ x: {{ address: ':80', default: {{ fixed_response: {{ body: {} }} }} }} }} }}"},
      {"target_group", "{{ target_groups: {{ x: {} }} }}"},
      {"health_check", "{{ target_groups: {{ x: {{ health_check: {} }} }} }}"},
      {"udp", "{{ listeners: {{ x: {{ address: ':53', protocol: udp, default: {{ forward: site }}, udp: {} }} }} }}"},
      {"udp_check", "{{ target_groups: {{ x: {{ protocol: udp, health_check: {{ protocol: udp, udp: {} }} }} }} }}"},
      {"jsonrpc", "{{ target_groups: {{ x: {{ health_check: {{ jsonrpc: {} }} }} }} }}"},
      {"target", "{{ target_groups: {{ x: {{ targets: [{}] }} }} }}"},
      {"group_timeouts", "{{ target_groups: {{ x: {{ timeouts: {} }} }} }}"},
      {"retries", "{{ target_groups: {{ x: {{ retries: {} }} }} }}"},
      {"pool", "{{ target_groups: {{ x: {{ pool: {} }} }} }}"},
      {"ajp", "{{ target_groups: {{ x: {{ protocol: ajp, ajp: {} }} }} }}"},
      {"sticky", "{{ target_groups: {{ x: {{ sticky: {} }} }} }}"},
      {"session_route", "{{ target_groups: {{ x: {{ session_route: {} }} }} }}"},
      {"outliers", "{{ target_groups: {{ x: {{ outliers: {} }} }} }}"},
      {"success_rate", "{{ target_groups: {{ x: {{ outliers: {{ success_rate: {} }} }} }} }}"},
      {"slower", "{{ target_groups: {{ x: {{ outliers: {{ slower: {} }} }} }} }}"},
      {"queue", "{{ target_groups: {{ x: {{ queue: {} }} }} }}"},
      {"forward", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: {} }} }} }} }}"},
      {"fault",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rules: [{{ match: {{ path: /a }}, "
       "forward: site, "
       "fault: {} }}] }} }} }}"},
      {"mirror",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rules: [{{ match: {{ path: /a }}, "
       "forward: site, "
       "mirror: {} }}] }} }} }}"},
      {"rewrite",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, rules: [{{ match: {{ path: /a }}, "
       "forward: site, "
       "rewrite: {} }}] }} }} }}"},
      {"maintenance", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, maintenance: {} }} }} }}"},
      {"auth", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, auth: {} }} }} }}"},
      {"basic", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, auth: {{ basic: {} }} }} }} }}"},
      {"jwt", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, auth: {{ jwt: {} }} }} }} }}"},
      {"keys",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, auth: {{ jwt: {{ algorithms: RS256, keys: "
       "{} "
       "}} }} }} }} }}"},
      {"forward_auth",
       "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, auth: {{ forward: {} }} }} }} }}"},
      {"cors", "{{ listeners: {{ x: {{ address: ':80', default: {{ forward: site }}, cors: {} }} }} }}"},
      {"redirect_https", "{{ listeners: {{ x: {{ address: ':80', redirect_https: {} }} }} }}"},
      {"hsts",
       "{{ listeners: {{ x: {{ address: ':443', protocol: https, default: {{ forward: site }}, certificates: {{ cert: "
       "a, key: b }}, hsts: {} }} }} }}"},
      {"certificate",
       "{{ listeners: {{ x: {{ address: ':443', protocol: https, default: {{ forward: site }}, certificates: [{}] }} "
       "}} "
       "}}"},
      {"acme_certificate",
       "{{ listeners: {{ x: {{ address: ':443', protocol: https, default: {{ forward: site }}, certificates: [{}] }} "
       "}}, acme: {{ accept_terms: true }} }}"},
      {"acme", "{{ acme: {} }}"},
      {"external_account", "{{ acme: {{ accept_terms: true, external_account: {} }} }}"},
      {"listener_tls",
       "{{ listeners: {{ x: {{ address: ':443', protocol: tls, default: {{ forward: site }}, certificates: {{ cert: a, "
       "key: b }}, tls: {} }} }} }}"},
      {"client_certificates",
       "{{ listeners: {{ x: {{ address: ':443', protocol: https, default: {{ forward: site }}, certificates: {{ cert: "
       "a, key: b }}, tls: {{ client_certificates: {} }} }} }} }}"},
      {"group_tls", "{{ target_groups: {{ x: {{ protocol: https, tls: {} }} }} }}"},
      {"access_log", "{{ access_log: {} }}"},
      {"explain", "{{ explain: {} }}"},
      {"admin", "{{ admin: {} }}"},
  };
  std::map<std::string, SectionShape> sections;
  collect(settings_kind()->shape(), sections);
  MemoryFiles files;
  files.files["maintenance.html"] = "Soon.\n";
  files.files["public/index.html"] = "Hello.\n";
  files.files["users.htpasswd"] = "ann:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
  files.files["issuer.jwks"] = "{}";
  files.files["blocked.txt"] = "192.0.2.0/24\n";
  files.files["partners.txt"] = "198.51.100.0/24\n";
  files.files["acme-hmac.key"] = "MDEyMzQ1Njc4OWFiY2RlZg\n";
  files.files["site"] = "{}";  // the `file` beside which other examples stand
  for (const auto& [name, section] : sections) {
    ASSERT_TRUE(places.contains(name)) << name;
    for (const PropertyShape& property : section.properties) {
      const std::string text = fmt::format(fmt::runtime(places.at(name)), example_of(section, property));
      const auto loaded = load_text("x.yaml", text, {.files = files});
      if (loaded) continue;
      for (const Diagnostic& diagnostic : loaded.error().sorted()) {
        if (diagnostic.severity == Severity::Warning) continue;
        // References into the rest of a file, and combinations that the property alone does not make.
        const bool elsewhere = diagnostic.text.starts_with("unknown target group") ||
                               diagnostic.text.find("tcp listener") != std::string::npos ||
                               diagnostic.text.find("tls listener") != std::string::npos ||
                               diagnostic.text.find("only a check with protocol: exec") != std::string::npos ||
                               diagnostic.text.find("only a check with protocol: grpc") != std::string::npos ||
                               diagnostic.text.find("only a check with protocol: udp") != std::string::npos ||
                               diagnostic.text.find("sends one of send and send_hex") != std::string::npos ||
                               diagnostic.text.find("write protocol: udp") != std::string::npos ||
                               diagnostic.text.find("refresh is for a url") != std::string::npos ||
                               diagnostic.text.find("ca is for an https url") != std::string::npos ||
                               diagnostic.text.find("write protocol: http") != std::string::npos ||
                               diagnostic.text.find("stands in the place of default") != std::string::npos ||
                               diagnostic.text.find("hsts is for https listeners") != std::string::npos ||
                               diagnostic.text.starts_with("preload: ") ||
                               diagnostic.text.find("it needs a delay or a status") != std::string::npos ||
                               diagnostic.text.find("stay_by") != std::string::npos ||
                               diagnostic.text.find("is missing in this rewrite") != std::string::npos ||
                               diagnostic.text.find("belong together") != std::string::npos;
        EXPECT_TRUE(elsewhere) << name << '.' << property.name << '\n' << loaded.error().render();
      }
    }
  }
}

TEST(JsonSchema, RefusesUnknownKeysAndKnowsTheWords) {
  const auto schema = nlohmann::json::parse(json_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& group = schema["$defs"]["target_group"];
  EXPECT_EQ(group["additionalProperties"], false);
  EXPECT_EQ(group["properties"]["algorithm"]["anyOf"][5]["const"], "maglev");
  EXPECT_EQ(group["properties"]["minimum_healthy"]["minimum"], 1);
  EXPECT_EQ(schema["$defs"]["health_check"]["properties"]["interval"]["description"],
            "From the start of one check of a target to the start of the next.\nDefault: 30s.");
  EXPECT_EQ(schema["$defs"]["listener"]["required"], nlohmann::json({"address"}));
  for (const auto& [name, definition] : schema["$defs"].items())
    EXPECT_EQ(definition["additionalProperties"], false) << name;
}

}  // namespace
}  // namespace ballast::config
