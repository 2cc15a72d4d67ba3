// Generated from units/led-lamp.ts by `baseunit generate`. Do not edit.
#pragma once

// Copy this file to firmware/led-lamp/include/secrets.h and fill it in; git ignores that one.
namespace secrets {

constexpr char wifiName[] = "";
constexpr char wifiPassword[] = "";
/** The unit's UID: the name under which the base knows it, 1 to 16 octets. */
constexpr char uid[] = "example";
/** 32 hexadecimal digits, the same as the base has: `baseunit keys` makes one. With the zeros the unit serves no base. */
constexpr char key[] = "00000000000000000000000000000000";

}  // namespace secrets
