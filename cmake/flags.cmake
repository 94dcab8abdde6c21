# Warnings, hardening, sanitizers and link-time optimisation: one set for every room.
set(BALLAST_SANITIZE "" CACHE STRING "value for -fsanitize= (empty: none)")
option(BALLAST_LTO "ThinLTO" OFF)
option(BALLAST_TESTS "build the tests" ON)
option(BALLAST_FUZZ "build the fuzz harnesses of tests/fuzz" OFF)

add_compile_options(
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion -Wno-missing-designated-field-initializers -Wimplicit-fallthrough -Wextra-semi -Wunused
  -fno-omit-frame-pointer -fstack-protector-strong -ffunction-sections -fdata-sections
  -D_GLIBCXX_ASSERTIONS)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
add_link_options(-fuse-ld=lld -Wl,--gc-sections -Wl,-z,relro,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)

if(BALLAST_SANITIZE)
  add_compile_options(-fsanitize=${BALLAST_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BALLAST_SANITIZE})
endif()
if(BALLAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(BALLAST_LTO)
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin -Wl,--thinlto-jobs=2 -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto-cache)
endif()

find_program(BALLAST_CCACHE ccache)
if(BALLAST_CCACHE)
  # One cache for every build directory and every clone: paths are taken relative to the sources.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${BALLAST_CCACHE})
endif()
