#pragma once

#include <stddef.h>
#include <stdint.h>

namespace bu {

/** At most N items, held in place. One added to a full list is remembered as such: `tooMany` when sent. */
template <class Item, size_t N>
class List {
  static_assert(N >= 1 && N <= 255, "a list field has 1 to 255 items");

 public:
  static constexpr size_t capacity = N;

  constexpr List() = default;
  /** `List<uint8_t, 8>::of(1, 2, 3)`. */
  template <class... Items>
  static constexpr List of(Items... items) {
    static_assert(sizeof...(Items) <= N, "more items than the field holds");
    List list;
    const bool added[] = {true, list.add(static_cast<Item>(items))...};
    static_cast<void>(added);
    return list;
  }

  /** False when the list is full; it is then refused when sent. */
  constexpr bool add(const Item& item) {
    if (count_ == N) {
      tooMany_ = true;
      return false;
    }
    items_[count_++] = item;
    return true;
  }
  constexpr void clear() {
    count_ = 0;
    tooMany_ = false;
  }

  constexpr uint8_t count() const { return count_; }
  constexpr bool isTooMany() const { return tooMany_; }
  constexpr const Item& operator[](size_t index) const { return items_[index]; }
  constexpr Item& operator[](size_t index) { return items_[index]; }
  constexpr const Item* begin() const { return items_; }
  constexpr const Item* end() const { return items_ + count_; }
  /** For decoding: one more item at the end, to be filled in place. Only while count() < N. */
  constexpr Item& next() { return items_[count_++]; }

 private:
  Item items_[N] = {};
  uint8_t count_ = 0;
  bool tooMany_ = false;
};

}  // namespace bu
