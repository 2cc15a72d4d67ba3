#pragma once

/* Checks SHA-256 and HMAC against published vectors. Says which one is wrong; gives the exit code. */
int self_test(void);
