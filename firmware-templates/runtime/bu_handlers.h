#pragma once

// How generated code finds out, before it calls a handler, that the sketch has it with exactly the right type: so that
// a missing or changed handler is one error that names the definition, and not a page of template noise.
namespace bu {

/** `void`, whatever is named between the brackets, if it can be named at all. */
template <class...>
using Void = void;

/** A condition as a type, to choose one of two functions by. */
template <bool>
struct Case {};

}  // namespace bu
