// Where arrays of numbers stand.
//
// Why: a register of 64 bytes that straddles two cache lines is read twice; and a step that walks
// over many megabytes in pages of 4 KB waits for the processor to look the pages up.
//
// Contract: an array begins at a cache line; one that fills a page of 2 MB begins at such a page,
// and the system is asked to give it such pages, as NumPy asks for its arrays. It comes from
// `operator new`. A vector made with a size alone is not initialised.
#pragma once

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace likely {

void* allocate_aligned(std::size_t bytes);
void deallocate_aligned(void* memory, std::size_t bytes) noexcept;

template <class T>
struct AlignedAllocator {
    using value_type = T;

    AlignedAllocator() = default;
    template <class Other>
    AlignedAllocator(const AlignedAllocator<Other>&) noexcept {}

    T* allocate(std::size_t count) { return static_cast<T*>(allocate_aligned(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t count) noexcept {
        deallocate_aligned(memory, count * sizeof(T));
    }
    /// Without a value: nothing is written.
    template <class... Value>
    void construct(T* number, Value&&... value) {
        ::new (static_cast<void*>(number)) T(std::forward<Value>(value)...);
    }
    void construct(T* number) noexcept { ::new (static_cast<void*>(number)) T; }
    bool operator==(const AlignedAllocator&) const = default;
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace likely
