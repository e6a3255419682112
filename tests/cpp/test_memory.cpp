// Where arrays begin, and what stands in them.
#include <algorithm>
#include <cstdint>

#include "check.hpp"
#include "likely/memory.hpp"

using namespace likely;

namespace {

template <class T>
bool begins_at(const AlignedVector<T>& numbers, std::uintptr_t multiple) {
    return reinterpret_cast<std::uintptr_t>(numbers.data()) % multiple == 0;
}

template <class T>
void test_arrays() {
    constexpr std::size_t huge_page = std::size_t{2} << 20, of_huge_page = huge_page / sizeof(T);
    for (const std::size_t count : {std::size_t{1}, std::size_t{17}, of_huge_page - 1})
        CHECK(begins_at(AlignedVector<T>(count), 64));
    for (const std::size_t count : {of_huge_page, 3 * of_huge_page + 5}) {
        AlignedVector<T> numbers(count, T(0));
        CHECK(begins_at(numbers, huge_page));
        CHECK(std::ranges::count(numbers, T(0)) == static_cast<std::ptrdiff_t>(count));
        numbers.back() = T(1);
        const AlignedVector<T> copy = numbers;
        CHECK(begins_at(copy, huge_page) && copy == numbers);
    }
    CHECK(AlignedVector<T>().empty());
}

}  // namespace

int main() {
    test_arrays<float>();
    test_arrays<double>();
    return finish();
}
