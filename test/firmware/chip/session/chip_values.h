#pragma once

namespace chip {

/** Gives the next word of the line that is being answered; empty: there is none. */
using Token = const char* (*)();

/** Hashes, proofs, tags and line values, in the words of test/firmware/runtime/values. False: it is none of these. */
bool answerValue(const char* command, Token token);

}  // namespace chip
