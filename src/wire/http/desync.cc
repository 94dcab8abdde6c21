#include "wire/http/desync.h"

namespace ballast::http {

DefectClass class_of(Defect defect) {
  switch (defect) {
    case Defect::None:
      return DefectClass::None;
    case Defect::LeadingEmptyLine:
    case Defect::UnexpectedBody:
    case Defect::HostMismatch:
    case Defect::PaddedNumber:
    case Defect::ChunkExtension:
    case Defect::ObsText:
    case Defect::UnusualMethod:
    case Defect::UnusualTarget:
    case Defect::UnusualHeaderName:
    case Defect::BareStatusLine:
    case Defect::LengthOfNothing:
      return DefectClass::Acceptable;
    case Defect::BareLf:
    case Defect::ObsFold:
    case Defect::BadTarget:
    case Defect::BadHeaderValue:
    case Defect::MissingHost:
    case Defect::RepeatedHost:
    case Defect::BadHost:
    case Defect::RepeatedContentLength:
    case Defect::ForbiddenTrailer:
      return DefectClass::Ambiguous;
    case Defect::BareCr:
    case Defect::SpaceBeforeColon:
    case Defect::NulByte:
    case Defect::BadMethod:
    case Defect::BadVersion:
    case Defect::BadStatus:
    case Defect::BadHeaderName:
    case Defect::BadContentLength:
    case Defect::LengthAndCoding:
    case Defect::UnknownCoding:
    case Defect::CodingInHttp10:
    case Defect::BadChunkSize:
    case Defect::BadChunkExtension:
    case Defect::BadChunkEnd:
    case Defect::BadTrailer:
    case Defect::UpgradeWithBody:
    case Defect::BadAjpPacket:
      return DefectClass::Severe;
    case Defect::LineTooLong:
    case Defect::HeaderTooLarge:
    case Defect::HeadTooLarge:
    case Defect::TooManyHeaders:
      return DefectClass::Limit;
  }
  return DefectClass::Severe;
}

std::string_view to_string(DefectClass defect_class) {
  switch (defect_class) {
    case DefectClass::None:
      return "";
    case DefectClass::Acceptable:
      return "acceptable";
    case DefectClass::Ambiguous:
      return "ambiguous";
    case DefectClass::Severe:
      return "severe";
    case DefectClass::Limit:
      return "limit";
  }
  return "";
}

}  // namespace ballast::http
