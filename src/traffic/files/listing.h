// The page that lists a folder, where that is asked for: names, sizes and dates, folders first. Every byte of a name is
// escaped, in the text and in the link.
#pragma once

#include <string>

#include "base/bytes.h"
#include "io/folder.h"

namespace ballast::traffic {

// More entries than this are not shown, and the page says so: it is made whole in memory.
inline constexpr std::size_t listing_entries_max = 5000;

// `path` is the folder's as the client sees it, decoded, with a slash at its end.
std::string listing_page(Bytes path, io::Folder::Listing listing);

}  // namespace ballast::traffic
