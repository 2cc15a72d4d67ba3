#pragma once

/* Says on stderr what went wrong, and ends the program: a measurement that went wrong is none. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
