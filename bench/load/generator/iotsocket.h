#pragma once

#include <stdint.h>

#include "link.h"

#define UID_OCTETS 16
#define TOKEN_OCTETS 8
#define BLOCK_HEAD_OCTETS 3

/* Keys of the bench's access list: every object has the first, the central the second. */
#define OBJECT_KEY "an object's key!"
#define CENTRAL_KEY "a central's key!"

/* The UID of an object, `object-00042`, or of the central, padded on the left with 00. */
void write_uid(uint8_t uid[UID_OCTETS], int index);

/* The head of a payload block: binary, of so many octets. */
void write_block_head(uint8_t head[BLOCK_HEAD_OCTETS], size_t length);

void send_ping(struct links *links, struct link *link);
void send_pong(struct links *links, struct link *link);
