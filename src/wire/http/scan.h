// Scans: the first byte of [at, end) that cannot go on a name, a value or a target; `end` where there is none.
//
// Sixteen bytes a step with SSE2, which every x86-64 has: lines of a head are short, so a run-time choice of
// wider vectors, which cannot be inlined, is not offered; it has not been measured. Nothing outside [at, end) is read.
// The scalar forms are what other processors run, and what the vector forms are tested against.
#pragma once

#include "wire/http/octets.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ballast::http {

inline const char* scan_name_scalar(const char* at, const char* end) {
  while (at < end && is_token_octet(*at)) ++at;
  return at;
}

inline const char* scan_value_scalar(const char* at, const char* end) {
  while (at < end && is_value_octet(*at)) ++at;
  return at;
}

// `query` becomes the first '?' before the stop, or stays what it was.
inline const char* scan_target_scalar(const char* at, const char* end, const char*& query) {
  for (; at < end && is_target_octet(*at); ++at) {
    if (*at == '?' && query == nullptr) query = at;
  }
  return at;
}

#ifdef __SSE2__
namespace sse2 {
inline __m128i load(const char* at) {
  __m128i bytes;
  __builtin_memcpy(&bytes, at, sizeof bytes);
  return bytes;
}
inline __m128i all(int byte) {
  return _mm_set1_epi8(static_cast<char>(byte));
}
inline __m128i at_most(__m128i bytes, int bound) {
  return _mm_cmpeq_epi8(_mm_min_epu8(bytes, all(bound)), bytes);
}
inline unsigned mask(__m128i bytes) {
  return static_cast<unsigned>(_mm_movemask_epi8(bytes));
}

// Bits of the bytes that are not a letter, a digit, '-' or '_': what names are made of but for oddities.
inline unsigned unusual_in_name(__m128i bytes) {
  const __m128i letter = at_most(_mm_sub_epi8(_mm_or_si128(bytes, all(0x20)), all('a')), 25);
  const __m128i digit = at_most(_mm_sub_epi8(bytes, all('0')), 9);
  const __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(bytes, all('-')), _mm_cmpeq_epi8(bytes, all('_')));
  return mask(_mm_or_si128(_mm_or_si128(letter, digit), mark)) ^ 0xffffU;
}
inline unsigned not_in_value(__m128i bytes) {
  const __m128i control = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, all('\t')), at_most(bytes, 0x1f));
  return mask(_mm_or_si128(control, _mm_cmpeq_epi8(bytes, all(0x7f))));
}
inline unsigned not_in_target(__m128i bytes) {
  // Signed: bytes from 0x80 on are below 0x21 too.
  const __m128i low = _mm_cmplt_epi8(bytes, all(0x21));
  return mask(_mm_or_si128(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, all(0x7f))), _mm_cmpeq_epi8(bytes, all('#'))));
}
}  // namespace sse2
#endif

inline const char* scan_name(const char* at, const char* end) {
#ifdef __SSE2__
  while (end - at >= 16) {
    const unsigned stops = sse2::unusual_in_name(sse2::load(at));
    if (stops == 0) {
      at += 16;
      continue;
    }
    at += __builtin_ctz(stops);
    if (!is_token_octet(*at)) return at;
    ++at;
  }
#endif
  return scan_name_scalar(at, end);
}

inline const char* scan_value(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const unsigned stops = sse2::not_in_value(sse2::load(at));
    if (stops != 0) return at + __builtin_ctz(stops);
  }
#endif
  return scan_value_scalar(at, end);
}

inline const char* scan_target(const char* at, const char* end, const char*& query) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = sse2::load(at);
    const unsigned stops = sse2::not_in_target(bytes);
    if (query == nullptr) {
      // Only marks before the first stop: stops & -stops is its bit, less one the bits below it (all when there is
      // none).
      const unsigned marks = sse2::mask(_mm_cmpeq_epi8(bytes, sse2::all('?'))) & ((stops & (0U - stops)) - 1U);
      if (marks != 0) query = at + __builtin_ctz(marks);
    }
    if (stops != 0) return at + __builtin_ctz(stops);
  }
#endif
  return scan_target_scalar(at, end, query);
}

}  // namespace ballast::http
