#pragma once

/**
 * Marks a function that is called from one place: written apart to be read, it is compiled into its caller. A session takes
 * 4 % less flash by it. Compilers do so by themselves only where they see that no other file can call it.
 */
#define BU_ONCE inline __attribute__((always_inline))
