// The schema of outliers: targets that are taken out, or given less, for what they do to requests.
#include <algorithm>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/units.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds eject_shortest = 100ms;
constexpr Milliseconds eject_longest = 24h;
constexpr int requests_most = 1'000'000;

Value<FailedAnswers> failed_answers() {
  return one_of<FailedAnswers>(
      {{"5xx", FailedAnswers::AllServerErrors,
        "every status from 500 on, and calls of gRPC that end so (internal, unknown, data_loss, unavailable)"},
       {"gateway", FailedAnswers::Gateway, "502, 503 and 504, and calls that end with unavailable"}});
}

// More than 0 points: a target always differs from its peers by something.
void require_points(int percent, std::string_view key, const Node& node, Decoder& decoder) {
  if (percent == 0) decoder.error(node.mark_of(key), fmt::format("{} cannot be 0%", key), "1% to 100%");
}

Value<SuccessRate> success_rate() {
  return section<SuccessRate>({
      .name = "success_rate",
      .title = "Success compared",
      .doc =
          "A target that succeeds clearly less often than the others do at the same time is ejected. What fails at all "
          "of them alike is nobody's fault.",
      .properties =
          {
              {.name = "margin",
               .doc = "How many points below the median of its peers a target must be, at least.",
               .example = "10%",
               .value = field(&SuccessRate::margin_percent, percent())},
              {.name = "deviations",
               .doc =
                   "And so many standard deviations of its peers, as the median of their distances from their median "
                   "tells it: one bad peer does not hide another.",
               .example = "4",
               .value = field(&SuccessRate::deviations, integer({.min = 0, .max = 10}))},
              {.name = "requests_min",
               .doc = "Requests of a target within an `interval`; one that had fewer is not compared.",
               .example = "500",
               .value = field(&SuccessRate::requests_min, integer({.min = 5, .max = requests_most}))},
              {.name = "targets_min",
               .doc = "With fewer targets that can be compared none is ejected.",
               .example = "5",
               .value = field(&SuccessRate::targets_min, integer({.min = 3, .max = 10'000}))},
              {.name = "failed_answers",
               .doc = "Which answers are failures here. An attempt without an answer always is, and so is an answer "
                      "that breaks off.",
               .example = "gateway",
               .value = field(&SuccessRate::failed_answers, failed_answers())},
          },
      .finish = [](SuccessRate& rate, const Node& node,
                   Decoder& decoder) { require_points(rate.margin_percent, "margin", node, decoder); },
  });
}

Value<Slower> slower() {
  return section<Slower>({
      .name = "slower",
      .title = "Slower than its peers",
      .doc =
          "A target that passes its checks and is slow, or fails some of its requests, gets less: its weight is halved "
          "at each `interval` that finds it so, from the second in a row on, and doubled at each that finds it well.",
      .properties =
          {
              {.name = "factor",
               .doc = "Slow is whose mean time to the head of an answer is so many times the median of its peers' ...",
               .example = "5",
               .value = field(&Slower::factor, integer({.min = 2, .max = 1000}))},
              {.name = "gap",
               .doc = "... and longer by this: 3 ms beside 1 ms are no failure.",
               .example = "200ms",
               .value = field(&Slower::gap, duration({.min = 1ms, .max = 1h}))},
              {.name = "failures",
               .doc = "A target also gets less when the share of its requests that fail (as with `success_rate`, every "
                      "5xx among them) is so many points above the median of its peers.",
               .example = "10%",
               .value = field(&Slower::failures_percent, percent())},
              {.name = "requests_min",
               .doc = "Requests of a target within an `interval`; one that had fewer is looked at over more of them.",
               .example = "100",
               .value = field(&Slower::requests_min, integer({.min = 5, .max = requests_most}))},
              {.name = "floor",
               .doc = "The share of its weight that is always left to a target.",
               .example = "25%",
               .value = field(&Slower::floor_percent, percent())},
          },
      .finish =
          [](Slower& slower, const Node& node, Decoder& decoder) {
            require_points(slower.failures_percent, "failures", node, decoder);
            // Without requests it could never be seen to be well again.
            require_points(slower.floor_percent, "floor", node, decoder);
          },
  });
}

}  // namespace

Value<Outliers> outliers_kind() {
  return switchable(
      section<Outliers>({
          .name = "outliers",
          .title = "Outliers",
          .doc =
              "A target is judged by its traffic as well, of all workers together: ejected for a while after errors in "
              "a row, or where it succeeds less often than its peers; given less where it is slower. What clients do, "
              "or what is wrong with this machine, counts against nobody. Checks keep their own verdict: a target is "
              "used when both agree, and never are so many ejected that fewer than `minimum_healthy` are left.",
          .properties =
              {
                  {.name = "errors",
                   .doc = "A target is ejected after so many failures in a row: no connection, no answer (closed, cut, "
                          "too "
                          "late, no HTTP), or an answer 502, 503 or 504. Any other answer ends the row. Not while its "
                          "peers all fail as well. 0: it never is.",
                   .example = "10",
                   .value = field(&Outliers::errors, integer({.min = 0, .max = 10'000}))},
                  {.name = "eject",
                   .doc =
                       "How long it is out the first time; then twice as long, and so on. For each such time that it "
                       "behaves one is forgotten.",
                   .example = "10s",
                   .value = field(&Outliers::eject, duration({.min = eject_shortest, .max = eject_longest}))},
                  {.name = "eject_max",
                   .doc = "And how long at most.",
                   .example = "10m",
                   .value = field(&Outliers::eject_max, duration({.min = eject_shortest, .max = eject_longest})),
                   .default_words = "`5m`, or `eject` where that is more"},
                  {.name = "share_max",
                   .doc =
                       "None is ejected where more than this share of the targets would then be out, those among them "
                       "that their checks keep out.",
                   .example = "30%",
                   .value = field(&Outliers::share_max_percent, percent())},
                  {.name = "interval",
                   .doc = "How often targets are compared, for `success_rate` and `slower`.",
                   .example = "30s",
                   .value = field(&Outliers::interval, duration({.min = 500ms, .max = 1h}))},
                  {.name = "success_rate",
                   .doc = "Whether a target is ejected that succeeds less often than its peers.",
                   .example = "{ requests_min: 500 }",
                   .value = field(&Outliers::success_rate, success_rate()),
                   .default_words = "none: they are not compared"},
                  {.name = "slower",
                   .doc = "Whether a target gets less that is slower than its peers, or fails more often.",
                   .example = "{ factor: 5, gap: 200ms }",
                   .value = field(&Outliers::slower, slower()),
                   .default_words = "none: they are not compared"},
              },
          .finish =
              [](Outliers& outliers, const Node& node, Decoder& decoder) {
                if (outliers.eject_max >= outliers.eject) return;
                if (node.find("eject_max")) {
                  return decoder.error(node.mark_of("eject_max"), "eject_max is shorter than eject");
                }
                outliers.eject_max = outliers.eject;
              },
      }),
      &Outliers::enabled);
}

void finish_outliers(TargetGroup& group, const Node& node, Decoder& decoder) {
  Outliers& outliers = group.outliers;
  const bool says = node.find("outliers") && outliers.enabled;
  if (group.protocol == GroupProtocol::Udp) {
    if (says) {
      decoder.error(node.mark_of("outliers"),
                    "a udp group has no answers to judge targets by; its flows leave one that refuses by themselves",
                    "outliers: off");
    }
    outliers.enabled = false;
    return;
  }
  if (!says) return;
  if (outliers.slower.has_value() && !is_http(group.protocol)) {
    decoder.error(
        node.mark_of("outliers"),
        fmt::format("slower: a {} group sees no answers whose time could be compared", to_string(group.protocol)));
  }
  const std::size_t targets = group.targets.size();
  // A name may be any number of targets.
  const bool has_names = std::ranges::any_of(group.targets, [](const Target& target) {
    return !target.address.is_unix() && !parse_network(target.address.host);
  });
  if (targets < 2 || has_names) return;
  if (targets * static_cast<std::size_t>(outliers.share_max_percent) < 100) {
    decoder.warning(node.mark_of("outliers"),
                    fmt::format("share_max: {}% of {} targets is less than one: none is ever ejected",
                                outliers.share_max_percent, targets));
  }
  if (outliers.success_rate && targets < static_cast<std::size_t>(outliers.success_rate->targets_min)) {
    decoder.warning(node.mark_of("outliers"),
                    fmt::format("success_rate has no effect: there are {} targets, and targets_min is {}", targets,
                                outliers.success_rate->targets_min));
  }
}

}  // namespace ballast::config
