#pragma once

#include <stddef.h>
#include <stdint.h>

// Arithmetic that the ESP8266 has in its ROM, and that the compiler's own library therefore leaves out: for the emulated
// core, which has no ROM. Under the compiler's names on the chip, under ours on the host, where it is tested.
#if defined(__XTENSA__)
#define ROM(name) __##name
#else
#define ROM(name) rom_##name
#endif

extern "C" {
uint32_t ROM(udivsi3)(uint32_t dividend, uint32_t divisor);
uint32_t ROM(umodsi3)(uint32_t dividend, uint32_t divisor);
int32_t ROM(divsi3)(int32_t dividend, int32_t divisor);
int32_t ROM(modsi3)(int32_t dividend, int32_t divisor);
uint64_t ROM(muldi3)(uint64_t first, uint64_t second);
uint64_t ROM(udivdi3)(uint64_t dividend, uint64_t divisor);
uint64_t ROM(umoddi3)(uint64_t dividend, uint64_t divisor);
int64_t ROM(divdi3)(int64_t dividend, int64_t divisor);
int64_t ROM(moddi3)(int64_t dividend, int64_t divisor);

float ROM(addsf3)(float first, float second);
float ROM(subsf3)(float first, float second);
float ROM(mulsf3)(float first, float second);
float ROM(divsf3)(float dividend, float divisor);
float ROM(floatsisf)(int32_t value);
float ROM(floatunsisf)(uint32_t value);
uint32_t ROM(fixunssfsi)(float value);
double ROM(divdf3)(double dividend, double divisor);
double ROM(floatundidf)(uint64_t value);
float ROM(truncdfsf2)(double value);
}
