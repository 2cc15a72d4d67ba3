#pragma once

// Copy this file to `include/secrets.h` of the unit's folder and fill it in; git ignores that one.
// `baseunit keys` makes a key and shows where the base keeps it.
namespace secrets {

constexpr char wifiName[] = "";
constexpr char wifiPassword[] = "";
/** The unit's UID: the name under which the base knows it, 1 to 16 octets. */
constexpr char uid[] = "example";
/** 32 hexadecimal digits. Line units have none: leave the zeros, with which no other unit starts. */
constexpr char key[] = "00000000000000000000000000000000";

}  // namespace secrets
