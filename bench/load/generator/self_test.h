#pragma once

/* Checks SHA-256, HMAC and the lengths of MQTT against published vectors. Says which one is wrong; gives the exit code. */
int self_test(void);
