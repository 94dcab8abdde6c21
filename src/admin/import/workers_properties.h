// workers.properties: mod_jk's workers as target groups: an ajp13 worker of worker.list is a group of one target, an lb
// worker a group of its members.
//
// Source: "The Apache Tomcat Connectors - Reference Guide, workers.properties configuration" (mod_jk 1.2.48).
#pragma once

#include "admin/import/import.h"

namespace ballast::admin {

ImportFormat workers_properties_format();

}  // namespace ballast::admin
