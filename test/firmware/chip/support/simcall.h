#pragma once

// Asks the emulator (QEMU's target/xtensa/xtensa-semi.c): 1 exit(status), 3 read(file, to, count), 4 write(file, from, count).
extern "C" int simcall(int number, int first, int second, int third);
