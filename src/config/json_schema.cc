// JSON Schema 2020-12 from the Shapes of the schema. Sections become $defs, so that editors show their titles.
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "config/schema.h"

namespace ballast::config {
namespace {

using Json = nlohmann::ordered_json;

// A scalar may always be, or hold, an environment variable; what that means is known only when it is loaded.
constexpr const char* variable_pattern = "\\$\\{";

std::string anchored(const std::string& pattern) {
  return "^(?:" + pattern + ")$";
}

class Writer {
 public:
  Json file(const Shape& root) {
    Json document = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "Ballast configuration"}};
    Json body = section_body(*root.section);
    body.erase("title");
    document.update(body);
    document["$defs"] = definitions_;
    return document;
  }

 private:
  Json any(const Shape& shape) {
    switch (shape.form) {
      case Shape::Form::Text:
        return text(shape);
      case Shape::Form::Number:
        return number(shape);
      case Shape::Form::Boolean:
        return {{"type", {"boolean", "string"}}, {"pattern", variable_pattern}};
      case Shape::Form::List:
        return {{"type", {"array", "null"}},
                {"items", any(shape.parts[0])},
                {"minItems", *shape.minimum},
                {"maxItems", *shape.maximum}};
      case Shape::Form::Map:
        return map(shape);
      case Shape::Form::Section:
        return section(*shape.section);
      case Shape::Form::AnyOf: {
        Json parts = Json::array();
        for (const Shape& part : shape.parts) parts.push_back(any(part));
        return {{"anyOf", parts}};
      }
    }
    return Json::object();
  }

  Json text(const Shape& shape) {
    if (shape.choices.empty()) {
      // YAML reads an unquoted 80 or true as something else than text; the loader does not mind.
      if (shape.pattern.empty()) {
        Json plain = {{"type", {"string", "number", "boolean"}}};
        if (shape.maximum) plain["maxLength"] = *shape.maximum;
        return plain;
      }
      Json matching = {{"type", {"string", "number"}}, {"pattern", anchored(shape.pattern) + "|" + variable_pattern}};
      if (shape.maximum) matching["maxLength"] = *shape.maximum;
      return matching;
    }
    Json choices = Json::array();
    for (const Choice& choice : shape.choices) {
      Json one = {{"const", choice.name}};
      if (!choice.doc.empty()) one["description"] = choice.doc;
      choices.push_back(one);
      if (choice.name == "off") choices.push_back({{"const", false}});  // what YAML 1.1 editors take it for
    }
    choices.push_back({{"type", "string"}, {"pattern", variable_pattern}});
    return {{"anyOf", choices}};
  }

  Json number(const Shape& shape) {
    if (shape.choices.empty()) {
      return {{"type", {"integer", "string"}},
              {"minimum", *shape.minimum},
              {"maximum", *shape.maximum},
              {"pattern", std::string("^-?[0-9]+$|") + variable_pattern}};
    }
    Json choices = Json::array();
    for (const Choice& choice : shape.choices) {
      choices.push_back({{"const", std::stoll(choice.name)}, {"description", choice.doc}});
    }
    choices.push_back({{"type", "string"}, {"pattern", variable_pattern}});
    return {{"anyOf", choices}};
  }

  Json map(const Shape& shape) {
    Json result = {
        {"type", {"object", "null"}}, {"additionalProperties", any(shape.parts[0])}, {"maxProperties", *shape.maximum}};
    if (!shape.pattern.empty()) result["propertyNames"] = {{"pattern", anchored(shape.pattern)}};
    return result;
  }

  Json section(const SectionShape& section) {
    const std::string name(section.name);
    if (known_.insert(name).second) definitions_[name] = section_body(section);
    return {{"$ref", "#/$defs/" + name}};
  }

  Json section_body(const SectionShape& section) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const PropertyShape& property : section.properties) {
      Json value = any(property.shape);
      std::string description(property.doc);
      if (!property.default_words.empty()) description += "\nDefault: " + property.default_words + ".";
      if (property.restart) description += "\nA change needs a restart.";
      value["description"] = description;
      if (!property.example.empty()) value["examples"] = {property.example};
      properties[std::string(property.name)] = value;
      if (property.required) required.push_back(property.name);
    }
    Json body = {{"title", section.title},
                 {"description", section.doc},
                 {"type", required.empty() && section.exactly_one.empty() ? Json{"object", "null"} : Json("object")},
                 {"additionalProperties", false},
                 {"properties", properties}};
    if (!required.empty()) body["required"] = required;
    for (const std::string& name : section.exactly_one) body["oneOf"].push_back({{"required", {name}}});
    return body;
  }

  Json definitions_ = Json::object();
  std::set<std::string> known_;
};

}  // namespace

std::string json_schema() {
  return Writer().file(settings_kind()->shape()).dump(2) + '\n';
}

}  // namespace ballast::config
