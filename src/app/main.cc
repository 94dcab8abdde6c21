// ballast: the words of the command line go to admin/cli; `up` and `serve` are here.
#include <span>
#include <string>
#include <vector>

#include "admin/cli/run.h"
#include "app/serve.h"
#include "app/up.h"
#include "app/version.h"
#include "traffic/auth/key_set.h"
#include "traffic/route/pattern.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ballast::admin::run_cli(arguments,
                                 {.version = ballast::app::version,
                                  .extra_commands = {ballast::app::up_command(), ballast::app::serve_command()},
                                  .regex_check = ballast::traffic::check_regex,
                                  .key_set_check = ballast::traffic::auth::check_key_set});
}
