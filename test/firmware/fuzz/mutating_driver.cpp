// Drives a fuzz target where there is no libFuzzer, and takes the same arguments: -runs=N -seed=N -max_len=N, and files to
// run once each. Inputs that go a way through the code that none went before are kept and mutated on; the compiler calls
// the functions __sanitizer_cov_… in every block, and at every comparison, of what is compiled with
// -fsanitize-coverage=trace-pc,trace-cmp (this file is not).
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;

constexpr size_t ways = 1 << 16;
/** Inputs kept at most: each went a way from one block to the next that none before it had. */
constexpr size_t maxCorpus = 4096;

uint8_t isGone[ways];
size_t gone = 0;
uintptr_t before = 0;
bool isNew = false;

/** What the program compared something with: the latest of it, over and over. */
uint8_t compared[256] = {0x00, 0x01, 0x7f, 0x80, 0xff};
size_t comparisons = 5;

uint64_t state = 1;
Input current;

/** xorshift64*: Marsaglia, Vigna. */
uint64_t draw() {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1dull;
}

size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(draw() % bound); }

uint8_t octet() {
  const size_t known = comparisons < sizeof compared ? comparisons : sizeof compared;
  return draw() % 2 == 0 ? static_cast<uint8_t>(draw()) : compared[below(known)];
}

void note(uint64_t value) { compared[comparisons++ % sizeof compared] = static_cast<uint8_t>(value); }

void mutateOnce(Input& input, const std::vector<Input>& corpus, size_t maxLength) {
  const size_t at = below(input.size());
  switch (draw() % 8) {
    case 0:
      if (!input.empty()) input[at] ^= static_cast<uint8_t>(1u << (draw() % 8));
      break;
    case 1:
      if (!input.empty()) input[at] = octet();
      break;
    case 2:
      input.insert(input.begin() + static_cast<long>(at), octet());
      break;
    case 3:
      for (size_t count = 1 + below(16); count > 0; --count) input.push_back(octet());
      break;
    case 4:
      if (!input.empty()) input.erase(input.begin() + static_cast<long>(at), input.begin() + static_cast<long>(at + 1 + below(input.size() - at)));
      break;
    case 5: {
      const Input piece(input.begin() + static_cast<long>(at), input.begin() + static_cast<long>(at + below(input.size() - at + 1)));
      input.insert(input.begin() + static_cast<long>(below(input.size() + 1)), piece.begin(), piece.end());
      break;
    }
    case 6:
      if (!input.empty()) input[at] = static_cast<uint8_t>(input[at] + (draw() % 2 == 0 ? 1 : 0xff));
      break;
    default: {
      const Input& other = corpus[below(corpus.size())];
      const size_t from = below(other.size() + 1);
      input.resize(at);
      input.insert(input.end(), other.begin() + static_cast<long>(from), other.end());
    }
  }
  if (input.size() > maxLength) input.resize(maxLength);
}

void tellInput() {
  fprintf(stderr, "input (%zu octets): ", current.size());
  for (const uint8_t value : current) fprintf(stderr, "%02x", value);
  fprintf(stderr, "\n");
}

void aborted(int) {
  tellInput();
  signal(SIGABRT, SIG_DFL);
  abort();
}

/** True when it reached what none before it had. */
bool runOne(const Input& input) {
  current = input;
  isNew = false;
  before = 0;
  // A copy of exactly its size: the sanitizer sees an octet read behind its end.
  uint8_t* octets = static_cast<uint8_t*>(malloc(input.size()));
  if (!input.empty()) memcpy(octets, input.data(), input.size());
  LLVMFuzzerTestOneInput(octets, input.size());
  free(octets);
  return isNew;
}

Input contentOf(const char* path) {
  Input content;
  FILE* file = fopen(path, "rb");
  if (file == nullptr) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  for (int value = fgetc(file); value != EOF; value = fgetc(file)) content.push_back(static_cast<uint8_t>(value));
  fclose(file);
  return content;
}

}  // namespace

extern "C" void __sanitizer_cov_trace_pc() {
  const uintptr_t at = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  uint8_t& way = isGone[(at ^ (at >> 16) ^ before) % ways];
  before = at << 1;
  if (way != 0) return;
  way = 1;
  ++gone;
  isNew = true;
}

extern "C" void __sanitizer_cov_trace_const_cmp1(uint8_t constant, uint8_t) { note(constant); }
extern "C" void __sanitizer_cov_trace_const_cmp2(uint16_t constant, uint16_t) { note(constant); }
extern "C" void __sanitizer_cov_trace_const_cmp4(uint32_t constant, uint32_t) { note(constant); }
extern "C" void __sanitizer_cov_trace_const_cmp8(uint64_t, uint64_t) {}
extern "C" void __sanitizer_cov_trace_cmp1(uint8_t one, uint8_t) { note(one); }
extern "C" void __sanitizer_cov_trace_cmp2(uint16_t one, uint16_t) { note(one); }
extern "C" void __sanitizer_cov_trace_cmp4(uint32_t, uint32_t) {}
extern "C" void __sanitizer_cov_trace_cmp8(uint64_t, uint64_t) {}
extern "C" void __sanitizer_cov_trace_cmpf(float, float) {}
extern "C" void __sanitizer_cov_trace_cmpd(double, double) {}
extern "C" void __sanitizer_cov_trace_switch(uint64_t, void* told) {
  // How many cases there are, the value's bits, then the cases.
  const uint64_t* cases = static_cast<const uint64_t*>(told);
  if (cases[0] > 0) note(cases[2 + below(cases[0])]);
}

int main(int count, char** arguments) {
  unsigned long long runs = 100'000;
  size_t maxLength = 512;
  std::vector<Input> corpus = {Input()};
  bool hasFiles = false;
  signal(SIGABRT, aborted);
  __sanitizer_set_death_callback(tellInput);
  for (int index = 1; index < count; ++index) {
    const char* argument = arguments[index];
    if (strncmp(argument, "-runs=", 6) == 0) {
      runs = strtoull(argument + 6, nullptr, 10);
    } else if (strncmp(argument, "-seed=", 6) == 0) {
      state = strtoull(argument + 6, nullptr, 10) * 2 + 1;
    } else if (strncmp(argument, "-max_len=", 9) == 0) {
      maxLength = strtoull(argument + 9, nullptr, 10);
    } else if (argument[0] != '-') {
      hasFiles = true;
      runOne(contentOf(argument));
    }
  }
  for (unsigned long long run = 0; !hasFiles && run < runs; ++run) {
    // Half of the time one of the newest: what has just been found is where there is more to find.
    const size_t newest = corpus.size() < 8 ? corpus.size() : 8;
    Input input = draw() % 2 == 0 ? corpus[below(corpus.size())] : corpus[corpus.size() - 1 - below(newest)];
    for (size_t changes = 1 + below(1 + below(6)); changes > 0; --changes) mutateOnce(input, corpus, maxLength);
    if (runOne(input) && corpus.size() < maxCorpus) corpus.push_back(input);
  }
  // As libFuzzer tells it.
  fprintf(stderr, "stat::number_of_executed_units: %llu\n", runs);
  fprintf(stderr, "%zu ways gone, %zu inputs kept\n", gone, corpus.size());
  return 0;
}
