// The names, words and statuses of the defects.
#include "wire/http/message.h"

namespace ballast::http {

std::string_view to_string(Defect defect) {
  switch (defect) {
    case Defect::None:
      return "none";
    case Defect::BareLf:
      return "bare_lf";
    case Defect::BareCr:
      return "bare_cr";
    case Defect::ObsFold:
      return "obs_fold";
    case Defect::SpaceBeforeColon:
      return "space_before_colon";
    case Defect::NulByte:
      return "nul_byte";
    case Defect::BadMethod:
      return "bad_method";
    case Defect::BadTarget:
      return "bad_target";
    case Defect::BadVersion:
      return "bad_version";
    case Defect::BadStatus:
      return "bad_status";
    case Defect::BadHeaderName:
      return "bad_header_name";
    case Defect::BadHeaderValue:
      return "bad_header_value";
    case Defect::MissingHost:
      return "missing_host";
    case Defect::RepeatedHost:
      return "repeated_host";
    case Defect::BadHost:
      return "bad_host";
    case Defect::BadContentLength:
      return "bad_content_length";
    case Defect::RepeatedContentLength:
      return "repeated_content_length";
    case Defect::LengthAndCoding:
      return "length_and_coding";
    case Defect::UnknownCoding:
      return "unknown_coding";
    case Defect::CodingInHttp10:
      return "coding_in_http10";
    case Defect::BadChunkSize:
      return "bad_chunk_size";
    case Defect::BadChunkExtension:
      return "bad_chunk_extension";
    case Defect::BadChunkEnd:
      return "bad_chunk_end";
    case Defect::BadTrailer:
      return "bad_trailer";
    case Defect::ForbiddenTrailer:
      return "forbidden_trailer";
    case Defect::LineTooLong:
      return "line_too_long";
    case Defect::HeaderTooLarge:
      return "header_too_large";
    case Defect::HeadTooLarge:
      return "head_too_large";
    case Defect::TooManyHeaders:
      return "too_many_headers";
    case Defect::UpgradeWithBody:
      return "upgrade_with_body";
    case Defect::BadAjpPacket:
      return "bad_ajp_packet";
    case Defect::LeadingEmptyLine:
      return "leading_empty_line";
    case Defect::UnexpectedBody:
      return "unexpected_body";
    case Defect::HostMismatch:
      return "host_mismatch";
    case Defect::PaddedNumber:
      return "padded_number";
    case Defect::ChunkExtension:
      return "chunk_extension";
    case Defect::ObsText:
      return "obs_text";
    case Defect::UnusualMethod:
      return "unusual_method";
    case Defect::UnusualTarget:
      return "unusual_target";
    case Defect::UnusualHeaderName:
      return "unusual_header_name";
    case Defect::BareStatusLine:
      return "bare_status_line";
    case Defect::LengthOfNothing:
      return "length_of_nothing";
  }
  return "unknown";
}

std::string_view explain(Defect defect) {
  switch (defect) {
    case Defect::None:
      return "no defect";
    case Defect::BareLf:
      return "a line ends with LF alone; lines end with CR LF";
    case Defect::BareCr:
      return "a CR stands without LF behind it";
    case Defect::ObsFold:
      return "a header line begins with white space (line folding was abolished by RFC 7230)";
    case Defect::SpaceBeforeColon:
      return "white space stands in a header's name or between it and the colon";
    case Defect::NulByte:
      return "there is a NUL byte";
    case Defect::BadMethod:
      return "the request does not begin with a method of at most 32 token characters and one space; "
             "perhaps it is not HTTP (TLS sent to a plain port?)";
    case Defect::BadTarget:
      return "the request target has a byte that may not stand there, or is neither a path, "
             "an http or https URL without user information, host:port for CONNECT nor * for OPTIONS";
    case Defect::BadVersion:
      return "the version is not HTTP/1.0 or HTTP/1.1";
    case Defect::BadStatus:
      return "the status line is not a version, three digits 100 to 599 and a reason";
    case Defect::BadHeaderName:
      return "a header's name is empty, lacks its colon or has a byte that may not stand there";
    case Defect::BadHeaderValue:
      return "a header's value has a control byte";
    case Defect::MissingHost:
      return "an HTTP/1.1 request has no Host header";
    case Defect::RepeatedHost:
      return "there is more than one Host header";
    case Defect::BadHost:
      return "the Host header is empty or not a valid host[:port]";
    case Defect::BadContentLength:
      return "Content-Length is not one decimal number up to 9223372036854775807, "
             "or stands in a 1xx or 204 response and is not 0";
    case Defect::RepeatedContentLength:
      return "there is more than one Content-Length header";
    case Defect::LengthAndCoding:
      return "there is a Content-Length and a Transfer-Encoding header";
    case Defect::UnknownCoding:
      return "Transfer-Encoding is not exactly one \"chunked\", or stands in a 1xx or 204 response";
    case Defect::CodingInHttp10:
      return "an HTTP/1.0 message has a Transfer-Encoding header";
    case Defect::BadChunkSize:
      return "a chunk's size is not 1 to 16 hexadecimal digits up to 7fffffffffffffff";
    case Defect::BadChunkExtension:
      return "a chunk's extension is longer than 256 bytes or has a control byte";
    case Defect::BadChunkEnd:
      return "a chunk's data is not followed by CR LF";
    case Defect::BadTrailer:
      return "a trailer line is not a header with a valid name and value";
    case Defect::ForbiddenTrailer:
      return "the trailer has a header that may stand only in the head (framing, routing, authentication, caching)";
    case Defect::LineTooLong:
      return "the first line is longer than the limit";
    case Defect::HeaderTooLarge:
      return "a header line is longer than the limit";
    case Defect::HeadTooLarge:
      return "all headers together are larger than the limit";
    case Defect::TooManyHeaders:
      return "there are more headers than the limit";
    case Defect::UpgradeWithBody:
      return "a request to upgrade the connection has a body";
    case Defect::BadAjpPacket:
      return "a packet of the target is not AJP13, or may not stand where it does";
    case Defect::LeadingEmptyLine:
      return "an empty line stands before the request";
    case Defect::UnexpectedBody:
      return "a GET, HEAD or DELETE request has a body";
    case Defect::HostMismatch:
      return "the Host header contradicts the request target";
    case Defect::PaddedNumber:
      return "a Content-Length or a chunk's size has zeroes in front";
    case Defect::ChunkExtension:
      return "a chunk has an extension";
    case Defect::ObsText:
      return "a header's value or the reason has a byte beyond ASCII";
    case Defect::UnusualMethod:
      return "the method has other than capital letters, digits, - and _";
    case Defect::UnusualTarget:
      return "the request target has a byte that RFC 3986 does not allow, a % without two "
             "hexadecimal digits, or an encoded control byte";
    case Defect::UnusualHeaderName:
      return "a header's name has other than letters, digits and -";
    case Defect::BareStatusLine:
      return "the status line has no space behind the status";
    case Defect::LengthOfNothing:
      return "a 1xx or 204 response states a length";
  }
  return "unknown defect";
}

int status_of(Defect defect) {
  switch (defect) {
    case Defect::LineTooLong:
      return 414;
    case Defect::HeaderTooLarge:
    case Defect::HeadTooLarge:
    case Defect::TooManyHeaders:
      return 431;
    case Defect::UnknownCoding:
      return 501;
    case Defect::BadVersion:
      return 505;
    default:
      return 400;
  }
}

}  // namespace ballast::http
